//go:build linux

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
)

// The model test of watching: the tree of the end-to-end test changes while `snapsync run` works on
// it, and while the process is killed, the line to the server breaks in every way that toxiproxy
// knows, and a person pauses it. Whenever the changes stop and the troubles are over, it has to find
// its rest by itself, and then rclone judges.
//
//	go test ./cmd/snapsync -run EndToEndWatch -e2e.seed 7 -e2e.edits 5000 -timeout 0
var watchEdits = flag.Int("e2e.edits", 48, "changes for each remote while snapsync watches")

const (
	watchSettle     = 200 * time.Millisecond
	watchSettleMax  = time.Second
	watchGrace      = time.Second
	editsPerTrouble = 6
	troublesPerRest = 4
	restAtMost      = 2 * time.Minute
)

func TestEndToEndWatch(t *testing.T) {
	seed := anySeed(t)
	p := buildPrograms(t)
	all := remotes(t)
	for i, r := range all {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := p.watched(t, r, seed+uint64(i))
			w.rest()
			w.judge()
			for w.edits < *watchEdits {
				w.tumult()
			}
		})
	}
	t.Run("patterns", func(t *testing.T) {
		t.Parallel()
		p.watched(t, all[0], seed).patterns()
	})
	t.Run("pulse", func(t *testing.T) {
		t.Parallel()
		p.pulses(t, all, seed)
	})
}

// watched is a mapping that a process keeps true.
type watched struct {
	*testMapping
	line    *line // nil: there is nothing to break between here and the remote
	socket  *control.Client
	dir     string // for what the process says
	process *exec.Cmd
	ended   chan error
	edits   int
	lasting bool            // the process is never killed, so that one can see whether it grows
	server  string          // of scripts/servers, if it may be killed
	befell  map[string]int  // how often there was each kind of trouble
	linked  map[uint64]bool // inodes of files that had several names since the last rest
}

func (p programs) watched(t *testing.T, r testRemote, seed uint64) *watched {
	m := p.mapping(t, r, seed)
	runtime, err := os.MkdirTemp("", "run") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, "XDG_RUNTIME_DIR="+runtime)
	w := &watched{
		testMapping: m, dir: filepath.Dir(m.tree.root), line: newLine(t, m, r.path),
		socket: control.NewClient(filepath.Join(runtime, "snapsync", "control.sock"), ""), befell: map[string]int{}, linked: map[uint64]bool{},
	}
	t.Cleanup(func() {
		w.kill()
		_ = os.RemoveAll(runtime)
		if t.Failed() {
			t.Logf("the last that the process said:\n%s", w.said("stderr", 4000))
		}
	})
	w.start()
	return w
}

// start starts the process, which has to stay until it is killed.
func (w *watched) start() {
	w.t.Helper()
	w.process = w.command(context.Background(), w.snapsync, "run", "--complete-sync", "--max-delete", "100%", "--json", w.tree.root, "--remote", w.remote,
		"--settle", watchSettle.String(), "--settle-max", watchSettleMax.String(), "--delete-delay", watchGrace.String(), "--log-level", "INFO")
	if w.line != nil {
		w.process.Env = append(w.process.Env, w.line.env...)
	}
	stdout, stderr := w.appending("stdout"), w.appending("stderr")
	defer stdout.Close()
	defer stderr.Close()
	w.process.Stdout, w.process.Stderr = stdout, stderr
	if err := w.process.Start(); err != nil {
		w.t.Fatal(err)
	}
	process, ended := w.process, make(chan error, 1)
	w.ended = ended
	go func() { ended <- process.Wait() }()
}

func (w *watched) appending(name string) *os.File {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *watched) kill() {
	_ = w.process.Process.Kill()
	<-w.ended
	w.ended <- nil // so that it may be killed twice
}

// said returns the end of what the process wrote.
func (w *watched) said(name string, most int) string {
	b, _ := os.ReadFile(filepath.Join(w.dir, name))
	return string(b[max(0, len(b)-most):])
}

// alive fails the test if the process is gone: it has to survive everything but kill -9.
func (w *watched) alive() {
	w.t.Helper()
	select {
	case err := <-w.ended:
		w.ended <- err
		w.t.Fatalf("the process ended: %v\n%s", err, w.said("stderr", 10000))
	default:
	}
}

// tumult changes the tree in the midst of troubles, and lets everything come to rest.
func (w *watched) tumult() {
	for range troublesPerRest {
		over := w.trouble()
		for range editsPerTrouble {
			w.tree.mutate(1)
			w.noteLinks()
			w.edits++
			time.Sleep(time.Duration(w.tree.rng.Int64N(int64(watchSettle))))
		}
		over()
	}
	w.unlink()
	w.rest()
	// Alone, since no stat could tell of it together with a rename.
	w.tree.seen = w.tree.inodes()
	w.tree.editKeepingMtime()
	w.tree.seen = nil
	w.rest()
	w.settled()
}

// noteLinks remembers the files that have several names now.
func (w *watched) noteLinks() {
	w.tree.walk(func(path string, e fs.DirEntry) {
		if st := w.tree.stat(path).Sys().(*syscall.Stat_t); e.Type().IsRegular() && st.Nlink > 1 {
			w.linked[st.Ino] = true
		}
	})
}

// unlink makes what are hard links, or were until the others went, files of their own. Who writes through one
// name changes what the others show, and no event tells of those: a periodic scan finds it, but none is
// waited for here.
func (w *watched) unlink() {
	tr := w.tree
	var linked []string
	tr.walk(func(path string, e fs.DirEntry) {
		if e.Type().IsRegular() && w.linked[tr.stat(path).Sys().(*syscall.Stat_t).Ino] {
			linked = append(linked, path)
		}
	})
	clear(w.linked)
	for _, path := range linked {
		temp := filepath.Join(tr.root, ".own~")
		tr.must(os.WriteFile(temp, tr.read(path), 0o644))
		tr.must(os.Rename(temp, path))
		tr.did("make a file of its own of the hard link", path)
	}
}

// settled judges, and then has everything looked at, which must find nothing.
func (w *watched) settled() {
	w.t.Helper()
	w.judge()
	w.noTemps()
	before := w.steps()
	w.must(w.snapsync, "sync", "--wait", "--timeout", "60s", w.tree.root, "--remote", w.remote)
	if more := w.steps()[len(before):]; len(more) > 0 {
		w.t.Errorf("a look at everything found what no event had told: %v", more)
	}
}

// trouble begins one, and returns what ends it.
func (w *watched) trouble() (over func()) {
	kinds := []kindOfTrouble{{"nothing", w.calm}, {"pause", w.paused}}
	if !w.lasting {
		kinds = append(kinds, kindOfTrouble{"kill -9", w.killed})
	}
	if w.line != nil {
		kinds = append(kinds, kindOfTrouble{"cut", w.cut}, kindOfTrouble{"reset", w.reset}, kindOfTrouble{"blackhole", w.blackhole},
			kindOfTrouble{"slow", w.slow}, kindOfTrouble{"trickle", w.trickle}, kindOfTrouble{"limit", w.limited})
	}
	if w.server != "" {
		kinds = append(kinds, kindOfTrouble{"server killed", w.serverKilled})
	}
	kind := kinds[w.tree.rng.IntN(len(kinds))]
	w.befell[kind.name]++
	return kind.begin()
}

type kindOfTrouble struct {
	name  string
	begin func() (over func())
}

func (w *watched) calm() func() { return func() {} }

// killed is kill -9, now; the process comes back in the midst of the changes that follow, or after them.
func (w *watched) killed() func() {
	w.alive()
	w.kill()
	w.tree.log = append(w.tree.log, "kill -9")
	if w.tree.rng.IntN(2) == 0 {
		w.start()
		return w.calm()
	}
	return w.start
}

func (w *watched) paused() func() {
	w.answered()
	w.must(w.snapsync, "pause", w.tree.root, "--remote", w.remote)
	w.tree.log = append(w.tree.log, "pause")
	return func() {
		w.must(w.snapsync, "resume", w.tree.root, "--remote", w.remote)
		w.tree.log = append(w.tree.log, "resume")
	}
}

// answered waits until the process can be told something.
func (w *watched) answered() {
	w.t.Helper()
	for begun := time.Now(); ; time.Sleep(watchSettle / 10) {
		w.alive()
		reply, err := w.socket.Status(w.t.Context(), "")
		if err == nil && len(reply.Mappings) == 1 && reply.Mappings[0].PID != 0 {
			return
		}
		if time.Since(begun) > restAtMost {
			w.t.Fatalf("the process does not answer: %v", err)
		}
	}
}

func (w *watched) cut() func() {
	w.line.proxy.Stop()
	w.tree.log = append(w.tree.log, "cut the line")
	return func() {
		if err := w.line.proxy.Start(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serverKilled is for a server that nobody else uses.
func (w *watched) serverKilled() func() {
	script, dir := filepath.Join("..", "..", "scripts", "servers"), filepath.Dir(os.Getenv("SNAPSYNC_TEST_LOGS"))
	do := func(what string) {
		w.tree.log = append(w.tree.log, what+" the server")
		if out, err := exec.Command(script, what, dir, w.server).CombinedOutput(); err != nil { // not with our HOME: its programs are elsewhere
			w.t.Fatalf("%s the server: %v\n%s", what, err, out)
		}
	}
	do("stop")
	return func() { do("start") }
}

func (w *watched) reset() func() { return w.toxic("reset_peer", "downstream", `{"timeout":20}`) }
func (w *watched) slow() func() {
	return w.toxic("latency", "downstream", `{"latency":80,"jitter":60}`)
}

func (w *watched) blackhole() func() { return w.toxic("timeout", "upstream", `{"timeout":0}`) }

func (w *watched) trickle() func() {
	return w.toxic("slicer", "upstream", `{"average_size":700,"size_variation":500,"delay":1000}`)
}

// limited closes each connection after some bytes.
func (w *watched) limited() func() {
	return w.toxic("limit_data", "upstream", fmt.Sprintf(`{"bytes":%d}`, w.tree.rng.IntN(100_000)))
}

func (w *watched) toxic(kind, stream, attributes string) func() {
	text := fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes)
	if _, err := w.line.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		w.t.Fatal(err)
	}
	w.tree.log = append(w.tree.log, "toxic "+text)
	return func() { w.line.proxy.Toxics.ResetToxics(context.Background()) }
}

// rest waits until nothing is left to be done. Nothing is asked for, but that paths which failed in the
// troubles be tried again, as they would be a minute later.
func (w *watched) rest() {
	w.t.Helper()
	begun, last := time.Now(), status.Status{}
	time.Sleep(watchSettle / 2) // events are on their way
	for quiet := 0; quiet < 3; time.Sleep(watchSettle / 2) {
		w.alive()
		if time.Since(begun) > restAtMost {
			said, _ := json.Marshal(last)
			w.t.Fatalf("no rest after %v: %s", restAtMost, said)
		}
		reply, err := w.socket.Status(w.t.Context(), "")
		if err != nil || len(reply.Mappings) != 1 || reply.Mappings[0].Live == nil {
			continue // it is starting
		}
		last = reply.Mappings[0]
		if last.Failed > 0 && last.State == string(loop.Idle) {
			if _, err := w.socket.Do(w.t.Context(), control.Command{Name: control.Retry}); err != nil {
				w.t.Fatal(err)
			}
		}
		quiet++
		if last.State != string(loop.Idle) || last.Pending > 0 || last.Failed > 0 || last.Live.Hints > 0 || last.OldestUnsynced != nil {
			quiet = 0
		}
	}
	w.tree.log = append(w.tree.log, fmt.Sprintf("at rest after %v", time.Since(begun).Round(time.Millisecond)))
}

// noTemps checks that none of our own names is left on the remote.
func (w *watched) noTemps() {
	w.t.Helper()
	for _, e := range w.list(w.remote) {
		if remote.IsTempName(filepath.Base(e.Path)) {
			w.t.Errorf("the remote has %s left", e.Path)
		}
	}
}

// steps are those that the remote acknowledged, as "action path".
func (w *watched) steps() (done []string) {
	w.t.Helper()
	for line := range bytes.Lines([]byte(w.said("stdout", 1<<30))) {
		var s struct{ Type, Action, How, From, Path, Error string }
		if err := json.Unmarshal(line, &s); err == nil && s.Type == "step" && s.Error == "" {
			done = append(done, strings.TrimSpace(strings.Join([]string{s.Action, s.How, s.From, s.Path}, " ")))
		}
	}
	return done
}

// line is toxiproxy between the process and the server; the judge has a line of its own.
type line struct {
	proxy *toxiproxy.Proxy
	env   []string // gives rclone's remote another address
}

// newLine returns nil for remotes without one.
func newLine(t *testing.T, m *testMapping, remote string) *line {
	name, _, ok := strings.Cut(remote, ":")
	if !ok || name == "" || strings.Contains(name, "/") {
		return nil
	}
	set := map[string]map[string]string{}
	if err := json.Unmarshal([]byte(m.must(m.rclone, "config", "dump")), &set); err != nil {
		t.Fatal(err)
	}
	var upstream string
	l, opts := &line{}, set[name]
	switch opts["type"] {
	case "sftp":
		upstream = net.JoinHostPort(opts["host"], opts["port"])
	case "s3":
		u, err := url.Parse(opts["endpoint"])
		if err != nil {
			t.Fatal(err)
		}
		upstream = u.Host
	default:
		return nil
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l.proxy = toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", upstream)
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	_, port, _ := net.SplitHostPort(l.proxy.Listen)
	prefix := "RCLONE_CONFIG_" + strings.ToUpper(name) + "_"
	if opts["type"] == "s3" {
		l.env = []string{prefix + "ENDPOINT=http://" + l.proxy.Listen}
		return l
	}
	keys, err := os.ReadFile(opts["known_hosts_file"])
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(filepath.Dir(m.tree.root), "known_hosts")
	if err := os.WriteFile(known, bytes.ReplaceAll(keys, []byte(":"+opts["port"]), []byte(":"+port)), 0o600); err != nil {
		t.Fatal(err)
	}
	l.env = []string{prefix + "PORT=" + port, prefix + "KNOWN_HOSTS_FILE=" + known}
	return l
}
