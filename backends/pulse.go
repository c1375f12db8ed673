package backends

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fshttp"

	"github.com/snapsync/snapsync/backends/rclone"
)

// Pulse returns what tells, within a second and without a request, whether the servers of a remote take
// calls: it connects and hangs up. So it can be asked often while a remote is away. That it returns nil
// is a reason to probe and no more than that.
//
// Overlays are seen through: all the servers beneath have to answer. Pulse is nil where it would tell
// nothing: for directories of this machine, for remotes that are reached through another program or a
// proxy, and where rclone's configuration does not say which server it is. One call at a time.
func Pulse(ctx context.Context, target string, o rclone.Options, log *slog.Logger) func(ctx context.Context) error {
	if err := rclone.Init(ctx, rclone.Settings{Log: log}); err != nil {
		return nil
	}
	rctx, err := rclone.Context(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil
	}
	p := &pulse{hosts: hostsOf(fs.GetConfig(rctx), target, rclone.MaxNesting), dial: fshttp.NewDialer(rctx).DialContext}
	if len(p.hosts) == 0 {
		return nil
	}
	return p.feel
}

const (
	pulseLimit = time.Second
	// A server that takes a call and does not say a word is called again after twice as long each time.
	firstSilence, maxSilence = 2 * time.Second, 10 * time.Second
)

// pulse is the servers of one remote.
type pulse struct {
	hosts []*host
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

// host is one of them.
type host struct {
	address string // host:port
	// greets: it speaks first. A call that is taken is then no proof: what takes it may be a proxy before
	// a server that is down.
	greets bool

	silence time.Duration // how long it is left alone since it took a call in silence; 0: it did not
	since   time.Time     // when that was
}

func (h *host) String() string {
	if h.greets {
		return h.address + " greets"
	}
	return h.address
}

// feel calls one server after the other. The one that does not answer is the first to be called the next
// time, so that those that are well are left alone.
func (p *pulse) feel(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pulseLimit)
	defer cancel()
	for i, h := range p.hosts {
		if err := h.call(ctx, p.dial); err != nil {
			p.hosts[0], p.hosts[i] = h, p.hosts[0]
			return fmt.Errorf("call %s: %w", h.address, err)
		}
	}
	return nil
}

var errSilent = errors.New("it takes calls and says nothing")

func (h *host) call(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	if time.Since(h.since) < h.silence {
		return errSilent
	}
	conn, err := dial(ctx, "tcp", h.address)
	if err != nil {
		h.silence = 0
		return err
	}
	defer conn.Close()
	if !h.greets {
		return nil
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		h.silence = min(max(2*h.silence, firstSilence), maxSilence)
		h.since = time.Now()
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	h.silence = 0
	return nil
}

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
