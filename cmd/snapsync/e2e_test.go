//go:build linux

package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// The end-to-end test: a real tree, changed at random; the real program; real servers; and rclone,
// of the version in our go.mod, as the judge of what arrived. scripts/servers starts the servers
// and names them in SNAPSYNC_TEST_REMOTES; a local directory is always tried.
//
//	go test ./cmd/snapsync -run EndToEnd -e2e.seed 7 -e2e.rounds 50
var (
	e2eSeed   = flag.Uint64("e2e.seed", 0, "seed of the end-to-end test, to see the same changes again; 0: a new one")
	e2eRounds = flag.Int("e2e.rounds", 4, "rounds of changes for each remote")
)

const (
	plantedFiles    = 80
	changesPerRound = 25
	killsPerRound   = 4
	oneRunAtMost    = 3 * time.Minute

	// A process that ends sleeps for a second if nothing is said, so that what it left running may meet a race.
	raceOptions = "GORACE=halt_on_error=1 atexit_sleep_ms=20"
)

func TestEndToEnd(t *testing.T) {
	seed := anySeed(t)
	p := buildPrograms(t)
	for _, r := range remotes(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			t.Run("rounds", func(t *testing.T) { p.mapping(t, r, seed).rounds(*e2eRounds) })
			t.Run("killed", func(t *testing.T) { p.mapping(t, r, seed+1).killed(*e2eRounds / 2) })
		})
	}
}

// anySeed is the seed that was asked for, by the flag or, for a whole gate, by SNAPSYNC_SEED, else a new one.
func anySeed(t *testing.T) uint64 {
	t.Helper()
	seed := *e2eSeed
	if text := os.Getenv("SNAPSYNC_SEED"); seed == 0 && text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SNAPSYNC_SEED: %v", err)
		}
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1e6
	}
	t.Logf("again with: -e2e.seed %d", seed)
	return seed
}

type testRemote struct{ name, path string }

func remotes(t *testing.T) []testRemote {
	all := []testRemote{{"directory", t.TempDir()}}
	env := os.Getenv("SNAPSYNC_TEST_REMOTES")
	if env == "" {
		t.Run("servers", func(t *testing.T) {
			const why = `no SNAPSYNC_TEST_REMOTES: scripts/servers start DIR; eval "$(scripts/servers env DIR)"`
			if os.Getenv("CI") == "true" {
				t.Fatal(why)
			}
			t.Skip(why)
		})
	}
	for _, field := range strings.Fields(env) {
		name, path, ok := strings.Cut(field, "=")
		if !ok {
			t.Fatalf("SNAPSYNC_TEST_REMOTES: %q is not NAME=REMOTE", field)
		}
		all = append(all, testRemote{name, path})
	}
	return all
}

// programs are the two commands under test: ours and the judge.
type programs struct{ snapsync, rclone string }

// buildPrograms builds rclone if there is none. For snapsync it takes what TestMain puts in the path: this
// test's own binary, with the flags that it was built with. Under -race the program runs under -race.
func buildPrograms(t *testing.T) programs {
	t.Helper()
	snapsync, err := exec.LookPath("snapsync")
	if err != nil {
		t.Fatal(err)
	}
	p := programs{snapsync, os.Getenv("SNAPSYNC_TEST_RCLONE")}
	if p.rclone == "" {
		p.rclone = filepath.Join(t.TempDir(), "rclone")
		if out, err := exec.Command("go", "build", "-o", p.rclone, "github.com/rclone/rclone").CombinedOutput(); err != nil {
			t.Fatalf("build rclone: %v\n%s", err, out)
		}
	}
	return p
}

// testMapping is a tree, where it goes, and the program's state about both.
type testMapping struct {
	programs
	t      *testing.T
	tree   *tree
	remote string
	copies bool // the remote copies, but does not move
	env    []string
}

func (p programs) mapping(t *testing.T, r testRemote, seed uint64) *testMapping {
	dir := t.TempDir()
	m := &testMapping{programs: p, t: t, remote: r.path + "/" + path.Base(path.Dir(dir)), copies: r.name == "s3"}
	m.tree = newTree(t, filepath.Join(dir, "source"), seed)
	if r.name == "ftp" { // it cannot transmit every byte, and says so: see backends
		m.tree.names = slices.DeleteFunc(slices.Clone(oddNames), func(name string) bool { return !utf8.ValidString(name) })
	}
	m.env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), raceOptions)
	if os.Getenv("RCLONE_CONFIG") == "" {
		m.env = append(m.env, "RCLONE_CONFIG="+filepath.Join(dir, "rclone.conf"))
	}
	if err := os.Mkdir(m.tree.root, 0o755); err != nil {
		t.Fatal(err)
	}
	m.tree.plant(plantedFiles)
	t.Cleanup(m.finish)
	return m
}

// finish leaves the servers empty, and the story of a failure on the screen.
func (m *testMapping) finish() {
	if m.t.Failed() {
		m.t.Logf("%s: what was done to the tree:\n%s", m.remote, strings.Join(m.tree.log, "\n"))
		return
	}
	_ = m.command(context.Background(), m.rclone, "purge", m.remote).Run()
}

func (m *testMapping) rounds(n int) {
	before := map[sum]content{}
	for range n {
		after := m.tree.contents()
		most := m.tree.unheardOf(before, after)
		if m.copies {
			most += circles(before, after)
		}
		m.sentNoMore(m.catchUp(), most)
		m.judge()
		m.idle()
		before = after
		m.tree.mutate(changesPerRound)
	}
	m.catchUp()
	m.judge()
}

// sentNoMore checks that only content travelled which the remote lacked.
func (m *testMapping) sentNoMore(s summary, most int64) {
	m.t.Helper()
	if s.UploadBytes > most {
		m.t.Errorf("uploaded %d bytes although only %d are new", s.UploadBytes, most)
	}
}

// killed runs the program over and over, is never patient, and lets it finish in the end.
func (m *testMapping) killed(n int) {
	patience := 300 * time.Millisecond
	for range n {
		for range killsPerRound {
			m.tree.mutate(changesPerRound / killsPerRound)
			m.killAfter(time.Duration(m.tree.rng.Int64N(int64(patience))))
		}
		started := time.Now()
		m.catchUp()
		patience = min(max(patience, time.Since(started)), 3*time.Second)
		m.judge()
	}
}

func (m *testMapping) killAfter(d time.Duration) {
	cmd := m.command(m.t.Context(), m.snapsync, m.run()...)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	time.Sleep(d)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	m.tree.log = append(m.tree.log, "kill -9 after "+d.String())
}

// summary is the last line of `run --once --json`.
type summary struct {
	Type                                                string
	Sent, Copied, Touched, Moved, Deleted, Failed, Held int64
	UploadBytes                                         int64 `json:"upload_bytes"`
}

func (m *testMapping) run() []string {
	return []string{"run", "--once", "--complete-sync", "--max-delete", "100%", "--json", m.tree.root, "--remote", m.remote}
}

func (m *testMapping) catchUp() summary {
	m.t.Helper()
	out := m.must(m.snapsync, m.run()...)
	m.tree.log = append(m.tree.log, "run: "+out)
	m.tree.settled()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var s summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil || s.Type != "summary" {
		m.t.Fatalf("run --json: the last line is no summary: %v\n%s", err, out)
	}
	return s
}

// idle checks that a run right after a run does nothing.
func (m *testMapping) idle() {
	m.t.Helper()
	if s := m.catchUp(); s != (summary{Type: "summary"}) {
		m.t.Errorf("a second run found something to do: %+v", s)
	}
}

// judge lets rclone compare every byte, and then say what it would do itself: nothing.
func (m *testMapping) judge() {
	m.t.Helper()
	m.must(m.rclone, "check", "--download", "--no-unicode-normalization", m.tree.root, m.remote)
	if said := m.must(m.rclone, "sync", "--dry-run", "--no-update-dir-modtime", "--no-unicode-normalization", m.tree.root, m.remote); strings.Contains(said, "--dry-run is set") {
		m.t.Errorf("rclone sync would still do something:\n%s", said)
	}
	m.noEmptyDirs()
	m.must(m.snapsync, "doctor", m.tree.root, "--remote", m.remote)
}

// noEmptyDirs checks that directories which the files left are gone: a remote that has directories
// has those with a file beneath, and at most such empty ones as the source has, too.
func (m *testMapping) noEmptyDirs() {
	m.t.Helper()
	inSource := map[string]bool{}
	for _, e := range m.list(m.tree.root) {
		inSource[e.Path] = true
	}
	listed := m.list(m.remote)
	full := map[string]bool{}
	for _, e := range listed {
		for dir := path.Dir(e.Path); !e.IsDir && dir != "."; dir = path.Dir(dir) {
			full[dir] = true
		}
	}
	for _, e := range listed {
		if e.IsDir && !full[e.Path] && !inSource[e.Path] {
			m.t.Errorf("the remote has an empty directory %q", e.Path)
		}
	}
}

// listing is a line of `rclone lsjson`, which prints names of both sides in the same way.
type listing struct {
	Path  string
	IsDir bool
}

func (m *testMapping) list(remote string) (listed []listing) {
	m.t.Helper()
	out := m.must(m.rclone, "lsjson", "-R", "--no-modtime", "--no-mimetype", "--log-level", "ERROR", remote)
	if err := json.Unmarshal([]byte(out), &listed); err != nil {
		m.t.Fatalf("rclone lsjson %s: %v\n%s", remote, err, out)
	}
	return listed
}

// must runs a command that has to succeed, and returns what it printed on both outputs. One that
// hangs has to say where.
func (m *testMapping) must(name string, args ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), oneRunAtMost)
	defer cancel()
	cmd := m.command(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), errors.Join(err, ctx.Err()), out)
	}
	return string(out)
}

func (m *testMapping) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = m.env
	return cmd
}
