package s3

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/rclone/rclone/backend/local"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fspath"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

const minPartSize = 5 << 20 // of S3

var day = time.Date(2021, 3, 4, 5, 6, 7, 123456789, time.UTC)

// server is the S3 remote that scripts/servers has started: "ts3:snapsync".
func server(t testing.TB) string {
	t.Helper()
	must(t, rclone.Init(t.Context(), rclone.Settings{}))
	const variable = "SNAPSYNC_TEST_REMOTES"
	for _, s := range strings.Fields(os.Getenv(variable)) {
		if remote, ok := strings.CutPrefix(s, "s3="); ok {
			return remote
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s names no S3 server: run scripts/servers", variable)
	}
	t.Skipf("%s names no S3 server: run scripts/servers", variable)
	return ""
}

// with adds options to a remote.
func with(remote string, options ...string) string {
	if len(options) == 0 {
		return remote
	}
	p, err := fspath.Parse(remote)
	if err != nil {
		panic(err)
	}
	return p.ConfigString + "," + strings.Join(options, ",") + ":" + p.Path
}

// scratch is a directory of its own on the server, which is gone after the test.
func scratch(t testing.TB) string {
	t.Helper()
	remote := server(t) + "/s3-" + strings.ToLower(rand.Text()[:10])
	t.Cleanup(func() {
		f, err := fs.NewFs(context.Background(), remote)
		if err == nil {
			err = operations.Purge(context.Background(), f, "")
		}
		if err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			t.Logf("purge %s: %v", remote, err)
		}
	})
	return remote
}

// dial opens a remote, and insists that it is accelerated.
func dial(t testing.TB, cfg backends.Config) *connection {
	t.Helper()
	c, err := backends.Open(t.Context(), config(t, cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	own, ok := c.(*connection)
	if !ok {
		t.Fatalf("%s is not accelerated: %T", cfg.Remote, c)
	}
	return own
}

func config(t testing.TB, cfg backends.Config) backends.Config {
	cfg.Wait = time.Minute // a busy machine
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return cfg
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("got %v, want one that is: %v", err, class)
	}
}

// content is n bytes of which no two parts are equal, the same at each call.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = mathrand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// proxy stands before the server and sees every request. What it does to them is up to the test.
type proxy struct {
	remote string // the server's remote, by way of the proxy
	direct string // the same without it

	mu     sync.Mutex
	puts   []http.Header                 // of the requests of that name
	bodies int64                         // bytes of content that were read from clients
	before func(op string, n int) answer // n counts the calls of this name; nil: all pass
	counts map[string]int
}

// answer is what becomes of a request.
type answer struct {
	code   string // the proxy answers with this error instead
	http   int
	region string // and says that the bucket is there
	lose   bool   // the server does it, but the answer is lost
	late   bool   // the server does it, and then the answer is code
	cut    bool   // the connection breaks in the middle of the request
}

func newProxy(t testing.TB, remote string) *proxy {
	t.Helper()
	_, _, _, options, err := fs.ConfigFs(remote)
	must(t, err)
	endpoint, _ := options.Get("endpoint")
	target, err := url.Parse(endpoint)
	must(t, err)
	p := &proxy{direct: remote, counts: map[string]int{}}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
			r.Out.Header["X-Forwarded-For"] = nil
		},
		Transport:    &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, forward) }))
	t.Cleanup(s.Close)
	p.remote = with(remote, fmt.Sprintf("endpoint='%s'", s.URL))
	return p
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	op := operation(r)
	p.mu.Lock()

	p.counts[op]++
	if op == "put" {
		p.puts = append(p.puts, r.Header.Clone())
	}
	var do answer
	if p.before != nil {
		do = p.before(op, p.counts[op])
	}
	p.mu.Unlock()
	r.Body = &counted{r.Body, p, do.cut}
	switch {
	case do.code != "":
		if do.late {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		if do.region != "" {
			w.Header().Set("X-Amz-Bucket-Region", do.region)
		}
		w.WriteHeader(do.http)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>injected</Message></Error>", do.code)
	case do.lose:
		forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		forward.ServeHTTP(w, r)
	}
}

// counted is a request's body.
type counted struct {
	io.ReadCloser
	p   *proxy
	cut bool
}

func (c *counted) Read(b []byte) (int, error) {
	if c.cut {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(b)
	c.p.mu.Lock()
	c.p.bodies += int64(n)
	c.p.mu.Unlock()
	return n, err
}

// operation names a request.
func operation(r *http.Request) string {
	q := r.URL.Query()
	switch key := strings.Count(r.URL.Path, "/") > 1; {
	case r.Method == "PUT" && q.Has("partNumber"):
		return "part"
	case r.Method == "PUT" && r.Header.Get("X-Amz-Copy-Source") != "":
		return "copy"
	case r.Method == "PUT" && !key:
		return "make bucket"
	case r.Method == "PUT":
		return "put"
	case r.Method == "POST" && q.Has("uploads"):
		return "create"
	case r.Method == "POST" && q.Has("uploadId"):
		return "complete"
	case r.Method == "POST" && q.Has("delete"):
		return "delete all"
	case r.Method == "DELETE" && q.Has("uploadId"):
		return "abort"
	case r.Method == "DELETE":
		return "delete"
	case r.Method == "GET" && q.Has("uploadId"):
		return "parts"
	case r.Method == "GET" && q.Has("uploads"):
		return "uploads"
	case r.Method == "GET" && !key:
		return "list"
	}
	return strings.ToLower(r.Method)
}

// expect sets what becomes of the requests from now on, and forgets the earlier ones.
func (p *proxy) expect(before func(op string, n int) answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.puts, p.bodies, p.counts, p.before = nil, 0, map[string]int{}, before
}

// seen returns how often each operation was asked for.
func (p *proxy) seen() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]int{}
	for k, v := range p.counts {
		all[k] = v
	}
	return all
}

func (p *proxy) sent() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies
}

// diary is an remote.Uploads in a file: it survives its process.
type diary struct {
	mu   sync.Mutex
	path string
	all  map[string]*remote.Upload
}

func newDiary(t testing.TB, path string) *diary {
	t.Helper()
	d := readDiary(path)
	if d == nil {
		t.Fatalf("the diary %s cannot be read", path)
	}
	return d
}

// readDiary returns nil if the file is damaged.
func readDiary(path string) *diary {
	d := &diary{path: path, all: map[string]*remote.Upload{}}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &d.all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return d
}

var _ remote.Uploads = (*diary)(nil)

func (d *diary) write() error {
	b, err := json.Marshal(d.all)
	if err != nil {
		return err
	}
	temp := d.path + ".new"
	return errors.Join(os.WriteFile(temp, b, 0o600), os.Rename(temp, d.path))
}

func (d *diary) Upload(path string) (*remote.Upload, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.all[path]
	if u == nil {
		return nil, nil
	}
	c := *u
	c.Parts = append([]remote.UploadPart{}, u.Parts...)
	return &c, nil
}

func (d *diary) Uploads() ([]remote.Upload, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []remote.Upload
	for _, u := range d.all {
		c := *u
		c.Parts = nil
		all = append(all, c)
	}
	return all, nil
}

func (d *diary) BeginUpload(u *remote.Upload) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := *u
	c.Last = c.Began
	d.all[u.Path] = &c
	return d.write()
}

func (d *diary) AddPart(path string, p remote.UploadPart, at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.all[path]
	if u == nil {
		return fmt.Errorf("a part of %q, which has no upload", path)
	}
	u.Parts = append(u.Parts, p)
	u.Last = at
	return d.write()
}

func (d *diary) EndUpload(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, path)
	return d.write()
}

func tempDiary(t testing.TB) *diary { return newDiary(t, filepath.Join(t.TempDir(), "uploads")) }

// download reads an object through rclone.
func download(t testing.TB, remote, path string) ([]byte, error) {
	t.Helper()
	f, err := fs.NewFs(context.Background(), remote+"/")
	if err != nil {
		return nil, err
	}
	o, err := f.NewObject(context.Background(), rclone.Encode(path))
	if err != nil {
		return nil, err
	}
	in, err := o.Open(context.Background())
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

func source(b []byte) *enginetest.Source { return &enginetest.Source{Content: b, Mtime: day} }
