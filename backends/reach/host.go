package reach

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"

	"github.com/snapsync/snapsync/backends/rclone"
)

// hostsOf returns the servers that requests to a remote go to, as far as they are known.
func hostsOf(ci *fs.ConfigInfo, remote string, depth int) (all []*host) {
	info, _, at, options, err := fs.ConfigFs(remote)
	if err != nil || depth == 0 || info.Name == "local" {
		return nil
	}
	over := rclone.Bases(info.Name, at, options)
	for _, base := range over {
		for _, h := range hostsOf(ci, base, depth-1) {
			if !slices.ContainsFunc(all, func(o *host) bool { return o.address == h.address }) {
				all = append(all, h)
			}
		}
	}
	if len(over) > 0 {
		return all
	}
	if h := hostOf(ci, info.Name, options); h != nil {
		return []*host{h}
	}
	return nil
}

// detours are options by which a remote is not reached at the address that others name. With the last two
// it sets rclone's own http_proxy.
var detours = []string{"ssh", "socks_proxy", "http_proxy", "unix_socket", "override.http_proxy", "global.http_proxy"}

// hostOf returns the server of a remote that is no overlay, or nil.
func hostOf(ci *fs.ConfigInfo, kind string, options configmap.Getter) *host {
	get := func(name string) string { value, _ := options.Get(name); return value }
	if slices.ContainsFunc(detours, func(name string) bool { return get(name) != "" }) {
		return nil
	}
	direct := func(port string, greets bool) *host {
		if get("host") == "" {
			return nil
		}
		if set := get("port"); set != "" {
			port = set
		}
		return &host{address: net.JoinHostPort(get("host"), port), greets: greets}
	}
	switch kind {
	case "sftp":
		return direct("22", true)
	case "ftp":
		return direct("21", get("tls") != "true") // with TLS from the start, the client speaks first
	case "smb":
		return direct("445", false)
	}
	return webHost(ci, serviceURL(kind, get))
}

// webHost returns the server of a URL, unless that is reached through a proxy.
func webHost(ci *fs.ConfigInfo, service string) *host {
	if service != "" && !strings.Contains(service, "://") {
		service = "https://" + service // as rclone takes endpoints
	}
	u, err := url.Parse(service)
	if err != nil || u.Hostname() == "" || ci.HTTPProxy != "" {
		return nil
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		return nil
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); proxy != nil || err != nil {
		return nil
	}
	return &host{address: net.JoinHostPort(u.Hostname(), port)}
}

// services are the addresses of remotes that need no option for theirs.
var services = map[string]string{
	"b2":                   "api.backblazeb2.com",
	"box":                  "api.box.com",
	"drive":                "www.googleapis.com",
	"dropbox":              "api.dropboxapi.com",
	"google cloud storage": "storage.googleapis.com",
	"jottacloud":           "jfs.jottacloud.com",
	"yandex":               "cloud-api.yandex.com",
}

// serviceURL says where a remote that speaks HTTP is, by the options that most have; "" if that is not known.
func serviceURL(kind string, get func(option string) string) string {
	for _, name := range []string{"endpoint", "url", "storage_url", "sas_url", "hostname", "host"} {
		if value := get(name); value != "" {
			return value
		}
	}
	switch kind {
	case "s3":
		return amazon(get("region"), get("use_dual_stack") == "true")
	case "swift":
		return get("auth")
	case "azureblob":
		if account := get("account"); account != "" && get("use_emulator") != "true" && get("connection_string") == "" {
			return account + ".blob.core.windows.net"
		}
		return ""
	case "onedrive":
		switch get("region") {
		case "us":
			return "graph.microsoft.us"
		case "cn":
			return "microsoftgraph.chinacloudapi.cn"
		}
		return "graph.microsoft.com"
	}
	return services[kind]
}

// amazon is AWS's own S3, which rclone means where no endpoint is named:
// https://docs.aws.amazon.com/general/latest/gr/s3.html
func amazon(region string, dualStack bool) string {
	if region == "" {
		region = "us-east-1"
	}
	service, domain := "s3.", "amazonaws.com"
	if dualStack {
		service = "s3.dualstack."
	}
	if strings.HasPrefix(region, "cn-") {
		domain += ".cn"
	}
	return service + region + "." + domain
}
