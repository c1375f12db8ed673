//go:build linux

package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends"
	_ "github.com/snapsync/snapsync/backends/all"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// busyServer stands before an S3 server, takes its time, and refuses what is more than so many requests at
// once, as S3 does: 503 SlowDown.
type busyServer struct {
	most  int
	takes time.Duration

	mu           sync.Mutex
	busy         int
	done, denied int
}

func (s *busyServer) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.busy++
		refuse := s.busy > s.most
		if refuse {
			s.denied++
		} else {
			s.done++
		}
		s.mu.Unlock()
		defer func() { s.mu.Lock(); s.busy--; s.mu.Unlock() }()
		if refuse {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
			return
		}
		time.Sleep(s.takes)
		next.ServeHTTP(w, r)
	})
}

// before puts a handler before the server of an S3 remote, and returns the remote by way of it.
func before(t *testing.T, remote string, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	if err := rclone.Init(t.Context(), rclone.Settings{}); err != nil {
		t.Fatal(err)
	}
	_, _, _, options, err := fs.ConfigFs(remote)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, _ := options.Get("endpoint")
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(wrap(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
			r.Out.Header["X-Forwarded-For"] = nil
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true},
	}))
	t.Cleanup(s.Close)
	name, path, _ := strings.Cut(remote, ":")
	return name + ",endpoint='" + s.URL + "':" + path
}

// s3Remote is the S3 server that scripts/servers has started.
func s3Remote(t *testing.T) testRemote {
	t.Helper()
	if err := rclone.Init(t.Context(), rclone.Settings{}); err != nil { // before tests that run in parallel ask it
		t.Fatal(err)
	}
	for _, r := range remotes(t) {
		if r.name == "s3" {
			return r
		}
	}
	t.Skip("SNAPSYNC_TEST_REMOTES names no S3 server")
	return testRemote{}
}

// e2eCrowd is how many files TestEndToEndCrowd sends. With 4000 the figures mean something; it then sends
// them with 64 at once as well, to compare.
var e2eCrowd = flag.Int("e2e.crowd", 600, "files of the test with a crowded server")

// TestEndToEndCrowd sends many small files to a server that refuses to be crowded. By itself the engine has
// to find out how many it takes, and every file has to arrive.
func TestEndToEndCrowd(t *testing.T) {
	t.Parallel()
	const most = 12
	r, files := s3Remote(t), *e2eCrowd
	refused := map[int]int{}
	for _, transfers := range []int{0, 64} {
		if transfers > 0 && files < 4000 {
			continue
		}
		s := &busyServer{most: most, takes: 100 * time.Millisecond}
		through := before(t, r.path, s.handler)
		began := time.Now()
		limits := sendAll(t, through+fmt.Sprintf("/crowd-%d-%d", os.Getpid(), transfers), transfers, files)
		refused[transfers] = s.denied
		t.Logf("--transfers %d: %d files in %v where %d at once are possible, %d requests refused, limit each half second: %v",
			transfers, files, time.Since(began).Round(time.Second/10), most, s.denied, limits)
		for i, n := range limits {
			if transfers == 0 && i > 5 && (n > most+most/2 || n < most/3) {
				t.Errorf("%d at once after %d half seconds, where %d are taken: %v", n, i, most, limits)
				break
			}
		}
	}
	if refused[0] == 0 || refused[0] > 100+files/50 {
		t.Errorf("%d requests were refused", refused[0])
	}
}

// sendAll sends a directory of small files, and returns how many were under way at once over time.
func sendAll(t *testing.T, target string, transfers, files int) (limits []int) {
	t.Helper()
	dir := t.TempDir()
	for i := range files {
		path := filepath.Join(dir, fmt.Sprint("d", i%7), fmt.Sprint("f", i))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(path), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.OpenMemory(journal.Mapping{Source: dir, Remote: target})
	if err != nil {
		t.Fatal(err)
	}
	cfg := loop.Config{Engine: engine.Config{Journal: j, Transfers: transfers, CompleteSync: true}, Interval: -1}
	cfg.Engine.Scan.Root = dir
	cfg.Engine.Connect = func(ctx context.Context, u remote.Uploads) (remote.Connection, error) {
		return backends.Open(ctx, backends.Config{Remote: target, Uploads: u, Wait: time.Minute})
	}
	if cfg.Engine.MaxDelete, err = guard.ParseMaxDelete("100%"); err != nil {
		t.Fatal(err)
	}
	l, err := loop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	for l.Status().LastAt.IsZero() && ctx.Err() == nil {
		time.Sleep(500 * time.Millisecond)
		limits = append(limits, l.Status().Transfers)
	}
	switch s := l.Status(); {
	case transfers > 0: // who crowds a server has to live with what it refuses
		t.Logf("--transfers %d: %d sent, %d failed", transfers, s.Last.Sent, s.Last.Failed)
	case s.Last.Sent != int64(files) || s.Last.Failed != 0 || s.Err != "":
		t.Errorf("%+v", s)
	}
	cancel()
	<-ended
	return limits
}

// TestEndToEndS3 is what only a server of objects has: copies instead of uploads, locks, a disk that is full.
func TestEndToEndS3(t *testing.T) {
	r := s3Remote(t)
	p := buildPrograms(t)
	t.Run("copies", func(t *testing.T) { t.Parallel(); p.copies(t, r) })
	t.Run("locked", func(t *testing.T) { t.Parallel(); p.locked(t, r) })
	t.Run("full", func(t *testing.T) { t.Parallel(); p.full(t) })
}

// plain is a mapping of an empty directory.
func (p programs) plain(t *testing.T, remote string, env ...string) *testMapping {
	t.Helper()
	dir := t.TempDir()
	m := &testMapping{programs: p, t: t, remote: remote, tree: newTree(t, filepath.Join(dir, "source"), 1)}
	m.env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), raceOptions)
	m.env = append(m.env, env...)
	m.tree.must(os.Mkdir(m.tree.root, 0o755))
	return m
}

func (m *testMapping) at(name string) string { return filepath.Join(m.tree.root, name) }

// runs runs once with these flags, checks the exit status, and returns the summary and what was said besides.
func (m *testMapping) runs(status int, flags ...string) (s summary, said string) {
	m.t.Helper()
	time.Sleep(50 * time.Millisecond) // what was written just now would be read once more
	ctx, cancel := context.WithTimeout(m.t.Context(), oneRunAtMost)
	defer cancel()
	args := append([]string{"run", "--once", "--json", "--max-delete", "100%", m.tree.root, "--remote", m.remote}, flags...)
	cmd := m.command(ctx, m.snapsync, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != status {
		m.t.Fatalf("run: exit status %d instead of %d\n%s%s", got, status, out, &stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		m.t.Fatalf("run --json: the last line is no summary: %v\n%s", err, out)
	}
	return s, stderr.String()
}

// tally counts the requests that change something, and the bytes of content that they carry.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	bytes  int64
}

func (c *tally) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := r.Method
		if r.Header.Get("X-Amz-Copy-Source") != "" {
			op = "copy"
		}
		c.mu.Lock()
		c.counts[op]++
		if r.Method == http.MethodPut {
			c.bytes += r.ContentLength
		}
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (c *tally) expect(t *testing.T, what string, puts, copies int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[http.MethodPut] != puts || c.counts["copy"] != copies || puts == 0 && c.bytes > 0 {
		t.Errorf("%s took %v and %d bytes, want %d uploads and %d copies", what, c.counts, c.bytes, puts, copies)
	}
	if heads := c.counts[http.MethodHead]; heads > copies {
		t.Errorf("%s looked at %d objects for %d copies", what, heads, copies)
	}
	c.counts, c.bytes = map[string]int{}, 0
}

// copies has content that the remote holds already, under a name that is there, that is retained, or that goes.
func (p programs) copies(t *testing.T, r testRemote) {
	c := &tally{counts: map[string]int{}}
	m := p.plain(t, before(t, r.path, c.handler)+"/copies-"+filepath.Base(filepath.Dir(t.TempDir())))
	t.Cleanup(m.finish)
	m.tree.write(m.at("a"), 1<<20)
	m.tree.write(m.at("b"), 2<<20)
	if s, _ := m.runs(0); s.Sent != 2 {
		t.Errorf("%+v", s)
	}
	c.expect(t, "the first run", 2, 0)

	content := m.tree.read(m.at("a"))
	m.tree.must(os.WriteFile(m.at("twin"), content, 0o644))
	if s, _ := m.runs(0); s.Copied != 1 || s.Sent != 0 || s.UploadBytes != 0 {
		t.Errorf("a second file of the same content: %+v", s)
	}
	c.expect(t, "a second file of the same content", 0, 1)

	m.tree.must(os.Rename(m.at("b"), m.at("renamed")))
	if s, _ := m.runs(0); s.Sent != 0 || s.UploadBytes != 0 {
		t.Errorf("a file of another name: %+v", s)
	}
	c.expect(t, "a file of another name", 0, 1)

	// Both are gone here, and retained there.
	m.tree.must(errors.Join(os.Remove(m.at("a")), os.Remove(m.at("twin"))))
	if s, _ := m.runs(0); s != (summary{Type: "summary"}) {
		t.Errorf("files that are retained: %+v", s)
	}
	c.expect(t, "files that are retained", 0, 0)
	m.tree.must(os.WriteFile(m.at("back"), content, 0o644))
	if s, _ := m.runs(0); s.Copied != 1 || s.Sent != 0 || s.UploadBytes != 0 {
		t.Errorf("content that is retained comes back: %+v", s)
	}
	c.expect(t, "content that is retained and comes back", 0, 1)
	m.must(m.rclone, "check", "--one-way", "--download", m.tree.root, m.remote)
}

// locked has objects that may be neither replaced nor deleted. Their paths fail, and say why; the others do not.
func (p programs) locked(t *testing.T, r testRemote) {
	ctx := t.Context()
	bucket := fmt.Sprintf("locked-%d", time.Now().UnixNano())
	name, _, _ := strings.Cut(r.path, ":")
	_, _, _, options, err := fs.ConfigFs(r.path)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) string { v, _ := options.Get(name); return v }
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(get("endpoint")), UsePathStyle: true, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(get("access_key_id"), get("secret_access_key"), ""),
	})
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket, ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	m := p.plain(t, name+":"+bucket+"/d")
	hold := func(status types.ObjectLockLegalHoldStatus) {
		for _, key := range []string{"d/replaced", "d/deleted"} {
			_, err := client.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{
				Bucket: &bucket, Key: &key, LegalHold: &types.ObjectLockLegalHold{Status: status},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(func() { _ = m.command(context.Background(), m.rclone, "purge", name+":"+bucket).Run() })
	for _, f := range []string{"replaced", "deleted", "free"} {
		m.tree.write(m.at(f), 100)
	}
	m.runs(0, "--complete-sync")
	hold(types.ObjectLockLegalHoldStatusOn)
	m.tree.write(m.at("replaced"), 200)
	m.tree.write(m.at("new"), 100)
	m.tree.must(errors.Join(os.Remove(m.at("deleted")), os.Remove(m.at("free"))))
	s, said := m.runs(25, "--complete-sync")
	if s.Sent != 1 || s.Deleted != 1 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{"replaced: send", "deleted: delete"} {
		if !strings.Contains(said, path+": permission denied by the remote: ") || strings.Count(said, "AccessDenied") > 2 {
			t.Errorf("it does not say clearly what happened to %s:\n%s", path, said)
		}
	}
	t.Log(said)
	hold(types.ObjectLockLegalHoldStatusOff)
	if s, _ = m.runs(0, "--complete-sync"); s.Sent != 1 || s.Deleted != 1 {
		t.Errorf("the locks are gone: %+v", s)
	}
	m.must(m.rclone, "check", "--download", m.tree.root, m.remote)
}

// full is a server whose disk has no room for one of the files. The others arrive, and that one does when there is.
func (p programs) full(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data", "s3")
	mount := func(flags uintptr, options string) error {
		return syscall.Mount("tmpfs", data, "tmpfs", flags, options)
	}
	if err := errors.Join(os.MkdirAll(data, 0o755), mount(0, "size=8m")); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(data, 0); err != nil {
			t.Error(err)
		}
	})
	servers := func(args ...string) error {
		out, err := exec.Command("../../scripts/servers", args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("servers %v: %w: %s", args, err, out)
		}
		return err
	}
	t.Cleanup(func() {
		if err := servers("stop", dir, "s3"); err != nil {
			t.Error(err)
		}
	})
	if err := servers("start", dir, "s3"); err != nil {
		t.Fatal(err)
	}
	m := p.plain(t, "ts3,upload_cutoff=5Mi:snapsync/x", "RCLONE_CONFIG="+filepath.Join(dir, "rclone.conf"))
	m.tree.write(m.at("small"), 1000)
	m.tree.write(m.at("large"), 12<<20)
	s, said := m.runs(25)
	if s.Sent != 1 || s.Failed != 1 {
		t.Errorf("%+v", s)
	}
	const want = "large: send: no space left on the remote: "
	if !strings.Contains(said, want) || !strings.Contains(m.must(m.snapsync, "status", m.tree.root, "--remote", m.remote), want) {
		t.Errorf("neither run nor status may keep quiet about %q:\n%s", want, said)
	}
	t.Log(said)
	if err := mount(syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if s, _ := m.runs(0); s.Sent != 1 {
		t.Errorf("there is room now: %+v", s)
	}
	m.must(m.rclone, "check", "--download", m.tree.root, m.remote)
}
