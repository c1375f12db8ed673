package generic

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/obscure"
	"github.com/rclone/rclone/fs/fshttp"

	"github.com/snapsync/snapsync/engine/remote"
)

// portal tells a WebDAV remote from the log-in page of a network, which answers in its place: rclone reads a page as a
// directory without anything, and each upload would fail by itself. One request is asked when the remote is opened; any
// other answer than a page, and a remote that logs in by other means than a password, is left to rclone.
func portal(ctx, rctx context.Context, name string) error {
	info, _, at, options, err := fs.ConfigFs(name)
	if err != nil || info.Name != "webdav" {
		return nil
	}
	get := func(option string) string { value, _ := options.Get(option); return value }
	base, err := url.Parse(get("url"))
	if err != nil || strings.HasPrefix(get("vendor"), "sharepoint") || get("unix_socket")+get("bearer_token_command")+get("headers") != "" {
		return nil
	}
	r, err := http.NewRequestWithContext(fs.CopyConfig(ctx, rctx), "PROPFIND", base.JoinPath(at).String(), nil)
	if err != nil {
		return nil
	}
	r.Header.Set("Depth", "0")
	switch pass, err := obscure.Reveal(get("pass")); {
	case get("bearer_token") != "":
		r.Header.Set("Authorization", "Bearer "+get("bearer_token"))
	case get("user") != "" && err == nil:
		r.SetBasicAuth(get("user"), pass)
	}
	answer, err := fshttp.NewClient(rctx).Do(r)
	if err != nil {
		return ctx.Err() // silence is waited for once
	}
	defer answer.Body.Close()
	page := answer.StatusCode == http.StatusOK && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html")
	if page || answer.StatusCode == http.StatusNetworkAuthenticationRequired {
		return fmt.Errorf("%w: %s answers with a web page and speaks no WebDAV: the log-in page of a network, or a wrong url",
			remote.ErrOffline, answer.Request.URL.Host)
	}
	return nil
}
