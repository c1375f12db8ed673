package generic

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestPortal opens WebDAV remotes in whose place something else answers: that is an outage, whatever the answer. A server
// that says no is none.
func TestPortal(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html><body>Welcome! Please log in</body></html>"))
	}
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		offline bool
	}{
		"page": {page, true},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				page(w, r)
				return
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}, true},
		"511":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNetworkAuthenticationRequired) }, true},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, false},
		"error page": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			target, err := rclone.ParseName(":webdav,url='" + server.URL + "/dav':a b/x")
			if err != nil {
				t.Fatal(err)
			}
			if err := rclone.Init(t.Context(), rclone.Settings{}); err != nil {
				t.Fatal(err)
			}
			rctx, err := rclone.Context(context.Background(), rclone.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Open(t.Context(), rctx, Config{Name: target, Wait: time.Minute, Log: slog.New(slog.DiscardHandler)})
			if err == nil {
				_ = c.Close()
			}
			if errors.Is(err, remote.ErrOffline) != tt.offline || !tt.offline && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
