package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHost has two mappings and remembers what it was told. It complains about what a server must not
// let through.
type fakeHost struct {
	t    *testing.T
	mu   sync.Mutex
	told []control.Command
}

func (h *fakeHost) Version() control.Version {
	return control.Version{Snapsync: "test", API: control.API, PID: os.Getpid()}
}

func (h *fakeHost) Status(_ context.Context, name string) ([]status.Status, error) {
	var out []status.Status
	for _, n := range []string{"work", "home"} {
		if name == "" || name == n {
			out = append(out, status.Status{Mapping: n, ID: n, State: "idle"})
		}
	}
	if len(out) == 0 {
		return nil, control.NoMapping(name)
	}
	return out, nil
}

func (h *fakeHost) Do(_ context.Context, c control.Command) (control.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := false
	for _, name := range control.Commands {
		known = known || name == c.Name
	}
	if !known {
		h.t.Errorf("the server let the command %q through", c.Name)
	}
	h.told = append(h.told, c)
	switch c.Mapping {
	case "strange":
		return control.Outcome{}, errors.New("something odd")
	case "locked":
		return control.Outcome{}, &control.Error{Code: http.StatusConflict, Message: "it is locked", Remedy: "wait", Exit: 24}
	}
	return control.Outcome{Text: "done", Count: 3}, nil
}

// rig is a server on a socket of its own.
type rig struct {
	host   *fakeHost
	feed   *control.Feed
	client *control.Client
	path   string
}

func serve(t *testing.T) *rig {
	t.Helper()
	r := &rig{host: &fakeHost{t: t}, feed: control.NewFeed(64)}
	l, err := control.Listen(filepath.Join(shortDir(t), "run"))
	if err != nil {
		t.Fatal(err)
	}
	r.path, r.client = l.Path(), control.NewClient(l.Path(), "")
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "snapsync_up 1") })
	s := control.NewServer(r.host, r.feed, metrics, nil)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

// shortDir is a temporary directory whose path leaves room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// raw sends a request as it is and returns the answer.
func (r *rig) raw(t *testing.T, text string) (status string, body string) {
	t.Helper()
	c, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.Status, string(data)
}

func TestStatus(t *testing.T) {
	r := serve(t)
	all, err := r.client.Status(t.Context(), "")
	if err != nil || len(all.Mappings) != 2 || all.Event == "" {
		t.Errorf("all: %+v, %v", all, err)
	}
	one, err := r.client.Status(t.Context(), "home")
	if err != nil || len(one.Mappings) != 1 || one.Mappings[0].Mapping != "home" {
		t.Errorf("one: %+v, %v", one, err)
	}
	_, err = r.client.Status(t.Context(), "nobody")
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Code != http.StatusNotFound || e.Hint() == "" {
		t.Errorf("none: %v", err)
	}
	v, err := r.client.Version(t.Context())
	if err != nil || v.API != 1 || v.PID != os.Getpid() {
		t.Errorf("version: %+v, %v", v, err)
	}
}

func TestCommands(t *testing.T) {
	r := serve(t)
	for _, name := range control.Commands {
		out, err := r.client.Do(t.Context(), control.Command{Name: name, Mapping: "work"})
		if err != nil || out.Count != 3 || out.Mappings == nil {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if len(r.host.told) != len(control.Commands) || r.host.told[0].Mapping != "work" {
		t.Errorf("the host was told %v", r.host.told)
	}
	e := (*control.Error)(nil)
	_, err := r.client.Do(t.Context(), control.Command{Name: control.Sync, Mapping: "locked"})
	if !errors.As(err, &e) || e.Code != 409 || e.Exit != 24 || e.Remedy != "wait" || e.Message != "it is locked" {
		t.Errorf("an error of the host: %v", err)
	}
	_, err = r.client.Do(t.Context(), control.Command{Name: control.Sync, Mapping: "strange"})
	if !errors.As(err, &e) || e.Code != 500 || e.Message != "something odd" {
		t.Errorf("any other error: %v", err)
	}
	_, err = r.client.Do(t.Context(), control.Command{Name: "format"})
	if !errors.As(err, &e) || e.Code != 404 {
		t.Errorf("an unknown command: %v", err)
	}
}

func TestRefused(t *testing.T) {
	r := serve(t)
	const post = "POST /v1/pause HTTP/1.1\nHost: x\n"
	big := strings.Repeat("x", 70<<10)
	for name, tt := range map[string]struct{ request, status, body string }{
		"no body":       {post + "Content-Length: 0\n\n", "200", `"done"`},
		"browser":       {post + "Origin: https://evil.example\nContent-Length: 0\n\n", "403", "Origin"},
		"browser reads": {"GET /v1/status HTTP/1.1\nHost: x\nSec-Fetch-Site: cross-site\n\n", "403", "browser"},
		"too large":     {post + fmt.Sprintf("Content-Length: %d\n\n{\"mapping\":\"%s\"}", len(big)+14, big), "413", "more than"},
		"no JSON":       {post + "Content-Length: 3\n\nabc", "400", "not a command"},
		"unknown field": {post + "Content-Length: 12\n\n{\"mappin\":1}", "400", "mappin"},
		"two values":    {post + "Content-Length: 4\n\n{}{}", "400", "more than one"},
		"wrong method":  {"GET /v1/pause HTTP/1.1\nHost: x\n\n", "405", "POST"},
		"not a command": {"POST /v1/status HTTP/1.1\nHost: x\nContent-Length: 0\n\n", "405", "/v1/status"},
		"version 2":     {"GET /v2/status HTTP/1.1\nHost: x\n\n", "404", "version 1"},
		"metrics":       {"GET /metrics HTTP/1.1\nHost: x\n\n", "200", "snapsync_up 1"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := r.raw(t, tt.request)
			if !strings.HasPrefix(status, tt.status) || !strings.Contains(body, tt.body) {
				t.Errorf("got %s %s; want %s and %q", status, body, tt.status, tt.body)
			}
			if tt.status == "200" {
				return
			}
			var e struct{ Error, Hint string }
			if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error == "" {
				t.Errorf("not an error in JSON: %s", body)
			}
		})
	}
	if n := len(r.host.told); n != 1 {
		t.Errorf("%d commands came through, want the one without an error", n)
	}
}

// collect reads n events and ends the stream.
func collect(ctx context.Context, c *control.Client, mapping, after string, n int) ([]control.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var got []control.Event
	enough := errors.New("enough")
	err := c.Events(ctx, mapping, after, func(e control.Event) error {
		if got = append(got, e); len(got) == n {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return got, err
}

func types(events []control.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.Type+string(e.Data.(json.RawMessage)))
	}
	return out
}

func (r *rig) publish(mapping string, n int) {
	r.feed.Publish(control.Event{Type: "step", Mapping: mapping, Data: map[string]any{"mapping": mapping, "n": n}})
}

func TestEventsResume(t *testing.T) {
	r := serve(t)
	reply, err := r.client.Status(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		r.publish([]string{"work", "home"}[n%2], n)
	}
	first, err := collect(t.Context(), r.client, "", reply.Event, 2)
	if err != nil || len(first) != 2 || first[0].Mapping != "work" {
		t.Fatalf("got %v, %v", types(first), err)
	}
	rest, err := collect(t.Context(), r.client, "", first[1].ID, 3)
	if err != nil || len(rest) != 3 || !strings.Contains(types(rest)[0], `"n":2`) {
		t.Errorf("resumed: %v, %v; want 2, 3, 4", types(rest), err)
	}
	home, err := collect(t.Context(), r.client, "home", reply.Event, 2)
	if err != nil || len(home) != 2 || home[0].Mapping != "home" || home[1].Mapping != "home" {
		t.Errorf("of one mapping: %v, %v", types(home), err)
	}
	if _, err := collect(t.Context(), r.client, "nobody", "", 1); err == nil {
		t.Error("events of a mapping that is not there")
	}
}

// A header does the same as the parameter: that is what browsers' and libraries' readers send.
func TestEventsLastEventID(t *testing.T) {
	r := serve(t)
	r.publish("work", 1)
	id := r.feed.Last()
	r.publish("work", 2)
	c, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s\r\n\r\n", id)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	seen := ""
	for lines := bufio.NewScanner(c); lines.Scan(); {
		seen += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "data:") {
			break
		}
	}
	if !strings.Contains(seen, "text/event-stream") || !strings.Contains(seen, `"n":2`) || strings.Contains(seen, `"n":1`) {
		t.Errorf("got:\n%s", seen)
	}
}

func TestEventsOfAnotherProcess(t *testing.T) {
	r := serve(t)
	r.publish("work", 1)
	got, err := collect(t.Context(), r.client, "", "gone-17", 2)
	if err != nil || len(got) != 2 || got[0].Type != "lost" || got[1].Type != "step" {
		t.Errorf("got %v, %v; want that events are lost, and then those there are", types(got), err)
	}
}

// A reader that does not read loses events and holds up nobody: neither who publishes nor who reads.
func TestEventsSlowReader(t *testing.T) {
	r := serve(t)
	slow, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprint(slow, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(slow)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	// More than the sockets' buffers hold, while nobody reads.
	const many = 30_000
	begun := time.Now()
	for n := range many {
		r.feed.Publish(control.Event{Type: "step", Mapping: "work", Data: map[string]any{"n": n, "path": strings.Repeat("x", 400)}})
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("publishing took %v", took)
	}
	if got, err := collect(t.Context(), r.client, "", r.feed.Last()[:strings.Index(r.feed.Last(), "-")]+"-1", 1); err != nil || got[0].Type != "lost" {
		t.Errorf("another reader: %v, %v", types(got), err)
	}
	slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	lost, last := false, ""
	for lines := bufio.NewScanner(in); lines.Scan(); {
		lost = lost || lines.Text() == "event: lost"
		last = lines.Text()
		if strings.Contains(last, fmt.Sprintf(`"n":%d,`, many-1)) {
			break
		}
	}
	if !lost || !strings.Contains(last, fmt.Sprint(many-1)) {
		t.Errorf("the slow reader: lost %v, last line %.80q; want to hear of the loss and then the last event", lost, last)
	}
}

// Streams end with the server; goleak sees to it that nothing stays.
func TestShutdownEndsStreams(t *testing.T) {
	dir := shortDir(t)
	l, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(&fakeHost{t: t}, control.NewFeed(4), nil, nil)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	ended := make(chan error, 1)
	go func() {
		ended <- control.NewClient(l.Path(), "").Events(t.Context(), "", "", func(control.Event) error { return nil })
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the stream ended without an error")
	}
	if _, err := os.Lstat(l.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	_, err = control.NewClient(l.Path(), "").Version(t.Context())
	if !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("asked when it is gone: %v", err)
	}
}

func TestSocketIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing there")
	}
	dir := filepath.Join(shortDir(t), "run")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	l, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for path, want := range map[string]os.FileMode{dir: 0o700, l.Path(): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestListenBesideALivingProcess(t *testing.T) {
	dir := shortDir(t)
	first, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.ListenAt(first.Path()); !errors.Is(err, control.ErrInUse) {
		t.Errorf("the same path: %v, want ErrInUse", err)
	}
	second, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if second.Path() == first.Path() || len(control.Sockets(dir)) != 2 || control.Sockets(dir)[0] != first.Path() {
		t.Errorf("paths %s and %s, found %v", first.Path(), second.Path(), control.Sockets(dir))
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
	if left := control.Sockets(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A process that was killed leaves its socket, and no lock on it.
func TestListenReplacesADeadSocket(t *testing.T) {
	dir := shortDir(t)
	for _, name := range []string{"control.sock", "control-99999999.sock"} {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		if err := os.WriteFile(filepath.Join(dir, name+".lock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if all := control.Sockets(dir); len(all) != 1 || filepath.Base(l.Path()) != "control.sock" {
		t.Errorf("listens at %s; there are %v", l.Path(), all)
	}
}

func TestOwn(t *testing.T) {
	dir := shortDir(t)
	if !control.Own(dir) || control.Own(filepath.Join(dir, "missing")) {
		t.Error("own directories are mistaken")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	if err := os.Chown(dir, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if control.Own(dir) {
		t.Error("the directory of another user is taken for ours")
	}
}

func TestListenRefuses(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, "control.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file in the way: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "mine" {
		t.Errorf("the file: %q, %v", data, err)
	}
	long := filepath.Join(dir, strings.Repeat("d", 100))
	if _, err := control.Listen(long); !errors.Is(err, control.ErrTooLong) {
		t.Errorf("a path of %d bytes: %v, want ErrTooLong", len(long), err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(shortDir(t), link); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(link); err == nil {
		t.Error("a directory that somebody can swap was accepted")
	}
}
