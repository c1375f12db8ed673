package s3

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestMessages looks at what a person is told: the path, what it means, what the server called it, and nothing twice.
func TestMessages(t *testing.T) {
	target := scratch(t)
	p := newProxy(t, with(target, "upload_cutoff=5M"))
	c := dial(t, backends.Config{Remote: p.remote, Uploads: tempDiary(t)})
	must(t, c.Send(t.Context(), "there", enginetest.Text("x", day)))
	refuse := func(code string, status int) func(string, int) answer {
		return func(op string, _ int) answer {
			if op == "head" { // its answer has no words
				return answer{}
			}
			return answer{code: code, http: status}
		}
	}
	for _, tt := range []struct {
		what func(string, int) answer
		call func() error
		want string
	}{
		{
			refuse("AccessDenied", http.StatusForbidden),
			func() error { return c.Send(t.Context(), "d/a", enginetest.Text("x", day)) },
			`send "d/a": permission denied by the remote: AccessDenied: injected`,
		}, {
			refuse("XMinioStorageFull", http.StatusInsufficientStorage),
			func() error { return c.Send(t.Context(), "d/a", source(content(5<<20))) },
			`send "d/a": no space left on the remote: create upload: XMinioStorageFull: injected`,
		}, {
			refuse("InvalidAccessKeyId", http.StatusForbidden),
			func() error { return errors.Join(c.Delete(t.Context(), []string{"a"})...) },
			`delete "a": remote is not usable: check access_key_id: InvalidAccessKeyId: injected`,
		}, {
			refuse("SlowDown", http.StatusServiceUnavailable),
			func() error { return c.Copy(t.Context(), "there", "b", snapshot.Entry{Kind: snapshot.File}, nil) },
			`copy "there" to "b": temporary failure: SlowDown: injected`,
		}, {
			nil,
			func() error { return c.Touch(t.Context(), "nowhere", snapshot.Entry{Kind: snapshot.File}, nil) },
			`set mtime of "nowhere": not found on the remote: NotFound`,
		},
	} {
		p.expect(tt.what)
		err := tt.call()
		if err == nil {
			t.Errorf("no error instead of %s", tt.want)
			continue
		}
		if got := request.ReplaceAllString(err.Error(), ""); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	_, err := backends.Open(t.Context(), config(t, backends.Config{Remote: with(target, "endpoint='http://127.0.0.1:1'")}))
	is(t, err, remote.ErrOffline)
	for _, word := range []string{"127.0.0.1:1'", "s3-", "dial"} {
		if strings.Count(err.Error(), word) != 1 {
			t.Errorf("not once %q: %v", word, err)
		}
	}
}

var request = regexp.MustCompile(` \(request \w+\)`)
