package s3

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestWireIsTheSDKs makes the same request directly and through the SDK, and compares what the server gets.
func TestWireIsTheSDKs(t *testing.T) {
	for name, options := range map[string][]string{
		"Plain":  nil,
		"Signed": {"use_unsigned_payload=false", "use_data_integrity_protections=false"},
		"All": {
			"acl=private", "storage_class=STANDARD", "requester_pays=true", "server_side_encryption='aws:kms'", "sse_kms_key_id=key",
			"sse_customer_algorithm=AES256", "sse_customer_key=01234567890123456789012345678901",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, with(scratch(t), options...))
			c := dial(t, backends.Config{Remote: p.remote})
			for _, path := range []string{"a.txt", "d/é +%2F?&=#'\".jpeg", "empty"} {
				// The answer is the proxy's: this server does not know all of these options.
				p.expect(func(string, int) answer { return answer{code: "Unheard", http: http.StatusTeapot} })
				text := strings.Repeat("x", len(path)%5)
				if err := c.Send(t.Context(), path, enginetest.Text(text, day)); err == nil {
					t.Fatal("no error")
				}
				if len(p.puts) != 2 {
					t.Fatalf("%d requests, want one directly and one by the SDK", len(p.puts))
				}
				if diff := cmp.Diff(essential(p.puts[1]), essential(p.puts[0])); diff != "" {
					t.Errorf("%q, the SDK's and ours: %s", path, diff)
				}
			}
		})
	}
}

// essential leaves out what differs between any two requests, or means nothing.
func essential(h http.Header) http.Header {
	h = h.Clone()
	_, signed, _ := strings.Cut(h.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	var names []string
	for name := range strings.SplitSeq(signed, ";") {
		if !strings.HasPrefix(name, "amz-sdk-") {
			names = append(names, name)
		}
	}
	h["Signed"] = names
	for _, name := range []string{"Authorization", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amz-Date", "User-Agent"} {
		h.Del(name)
	}
	return h
}

const maxDoubts = 20 // after so many the client leaves all to the SDK

// TestWireGivesUp has a server that refuses what the SDK does not send.
func TestWireGivesUp(t *testing.T) {
	p := newProxy(t, scratch(t))
	c := dial(t, backends.Config{Remote: p.remote})
	p.expect(func(op string, n int) answer {
		if op == "put" && n%2 == 1 && n < 2*maxDoubts {
			return answer{code: "InvalidRequest", http: http.StatusBadRequest}
		}
		return answer{}
	})
	for range maxDoubts + 5 {
		must(t, c.Send(t.Context(), "a", enginetest.Text("x", day)))
	}
	if got := p.seen()["put"]; got != 2*maxDoubts+5 {
		t.Errorf("%d requests for %d files, of which the first %d needed two", got, maxDoubts+5, maxDoubts)
	}
}

// A server that is full is believed: the content does not travel once more to hear it again.
func TestWireBelieves(t *testing.T) {
	p := newProxy(t, scratch(t))
	c := dial(t, backends.Config{Remote: p.remote})
	for code, want := range map[string]struct {
		class    error
		requests int
	}{
		"XMinioStorageFull": {remote.ErrQuota, 1},
		"QuotaExceeded":     {remote.ErrQuota, 1},
		"AccessDenied":      {remote.ErrPermission, 2},
	} {
		p.expect(func(string, int) answer { return answer{code: code, http: http.StatusForbidden} })
		err := c.Send(t.Context(), "a", enginetest.Text("x", day))
		if text := `send "a": ` + want.class.Error() + ": " + code + ": injected"; err == nil || err.Error() != text {
			t.Errorf("got %v, want %s", err, text)
		}
		if got := p.seen()["put"]; got != want.requests {
			t.Errorf("%s: %d requests, want %d", code, got, want.requests)
		}
	}
}
