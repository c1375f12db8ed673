package watch

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine/hint"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	glanceEvery = 20 * time.Millisecond
	os.Exit(m.Run())
}

// rig is a watched directory, and a mirror that looks only where it is hinted to: if a hint is missing,
// or comes before its change, the mirror ends up different from the tree.
type rig struct {
	t       tester
	cfg     Config
	w       *Watcher
	markers int

	mu     sync.Mutex
	more   sync.Cond
	queue  []hint.Hint
	hints  []hint.Hint // all that were looked at
	mirror *image
	ended  bool
	looks  sync.WaitGroup
}

// image is what the mirror has of one path.
type image struct {
	entry
	children map[string]*image
}

type entry struct {
	Mode  fs.FileMode
	Size  int64
	Mtime int64
	ID    [2]uint64
}

// tester is a test of package testing, or one of rapid's.
type tester interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
	Skipf(string, ...any)
}

func newRig(t testing.TB) *rig { return newRigAt(t, t.TempDir()) }

func newRigAt(t tester, root string) *rig {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	// Long intervals, so that nothing is found by polling that ought to come from an event.
	r := &rig{t: t, cfg: Config{Root: root, PollInterval: time.Hour, CanaryInterval: time.Hour}}
	r.more.L = &r.mu
	return r
}

// open starts to watch; the mirror is that of the tree from before.
func (r *rig) open() *rig {
	r.t.Helper()
	r.mirror = r.picture("")
	w, err := Open(r.t.Context(), r.cfg, r.hint)
	if err != nil {
		r.t.Fatal(err)
	}
	r.w = w
	r.looks.Go(r.look)
	r.t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	if err := r.w.Close(); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.more.Broadcast()
	r.looks.Wait()
}

func (r *rig) hint(h hint.Hint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		r.t.Errorf("hint %+v after Close", h)
	}
	r.queue = append(r.queue, h)
	r.more.Broadcast()
}

// look takes hints in the order in which they came, as fast as it can.
func (r *rig) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for len(r.queue) == 0 && !r.ended {
			r.more.Wait()
		}
		if r.ended {
			return
		}
		h := r.queue[0]
		r.queue = r.queue[1:]
		r.mu.Unlock()
		now := r.lookAt(h.Path)
		if !h.Deep && now != nil {
			now.children = nil
		}
		r.mu.Lock()
		r.place(h, now)
		r.hints = append(r.hints, h)
		r.more.Broadcast()
	}
}

// place puts what was seen into the mirror.
func (r *rig) place(h hint.Hint, now *image) {
	if h.Path == "" {
		if h.Deep && now != nil {
			r.mirror = now
		}
		return
	}
	at := r.mirror
	names := strings.Split(h.Path, "/")
	last := names[len(names)-1]
	for _, name := range names[:len(names)-1] {
		if at.children[name] == nil {
			if now == nil {
				return
			}
			at.set(name, &image{}) // equal to nothing that exists, until somebody hints at it
		}
		at = at.children[name]
	}
	if old := at.children[last]; old != nil && now != nil && !h.Deep && now.Mode.IsDir() {
		now.children = old.children
	}
	if now == nil {
		delete(at.children, last)
		return
	}
	at.set(last, now)
}

func (i *image) set(name string, child *image) {
	if i.children == nil {
		i.children = make(map[string]*image)
	}
	i.children[name] = child
}

// lookAt returns what is at and beneath path, never through a symbolic link; nil: nothing.
func (r *rig) lookAt(path string) *image {
	for i, c := range path {
		if c != '/' {
			continue
		}
		if fi, err := os.Lstat(r.at(path[:i])); err != nil || !fi.IsDir() {
			return nil
		}
	}
	return r.picture(path)
}

// picture returns what is at and beneath path; nil: nothing.
func (r *rig) picture(path string) *image {
	full := r.at(path)
	stat := os.Lstat
	if path == "" {
		stat = os.Stat
	}
	fi, err := stat(full)
	if err != nil || path != "" && fi.IsDir() && r.cfg.Skip != nil && r.cfg.Skip(path) {
		return nil
	}
	i := &image{entry: entry{Mode: fi.Mode(), ID: [2]uint64{idOf(fi).dev, idOf(fi).ino}}}
	if !fi.IsDir() {
		i.Size, i.Mtime = fi.Size(), fi.ModTime().UnixNano()
		return i
	}
	names, err := os.ReadDir(full)
	if err != nil {
		return i
	}
	for _, name := range names {
		child := name.Name()
		if path != "" {
			child = path + "/" + child
		}
		if c := r.picture(child); c != nil {
			i.set(name.Name(), c)
		}
	}
	return i
}

// flat returns the mirror as the test compares it.
func (i *image) flat(at string, into map[string]entry) map[string]entry {
	for name, child := range i.children {
		path := strings.TrimPrefix(at+"/"+name, "/")
		into[path] = child.entry
		child.flat(path, into)
	}
	return into
}

// sync waits until everything that happened so far was hinted at, and compares.
func (r *rig) sync() {
	r.t.Helper()
	r.settle()
	want := r.picture("").flat("", map[string]entry{})
	r.mu.Lock()
	got := r.mirror.flat("", map[string]entry{})
	r.mu.Unlock()
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("what is there (-) and what was hinted at (+):\n%s", diff)
	}
	r.agree()
}

// settle makes a marker and waits until the mirror has it: hints come in the order of the events. Hints
// from before are forgotten.
func (r *rig) settle() {
	r.t.Helper()
	name := r.mark()
	r.eventually("a hint at "+name, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.mirror.children[name] == nil {
			return false
		}
		r.hints = nil
		return true
	})
}

// mark makes a file that was not there before.
func (r *rig) mark() string {
	r.t.Helper()
	r.markers++
	name := fmt.Sprintf("marker %d", r.markers)
	r.must(os.WriteFile(r.at(name), nil, 0o644))
	return name
}

// await waits for a hint that nobody awaited yet, and forgets those before it.
func (r *rig) await(what string, match func(hint.Hint) bool) hint.Hint {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	timeout := time.AfterFunc(patience+time.Millisecond, r.more.Broadcast)
	defer timeout.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if i := slices.IndexFunc(r.hints, match); i >= 0 {
			h := r.hints[i]
			r.hints = r.hints[i+1:]
			return h
		}
		if !time.Now().Before(deadline) {
			r.t.Fatalf("no hint at %s; there were %+v", what, r.hints)
		}
		r.more.Wait()
	}
}

// hintsOf runs do and returns what was hinted at because of it, sorted by path.
func (r *rig) hintsOf(do func()) []hint.Hint {
	r.t.Helper()
	r.settle()
	do()
	name := r.mark()
	var hints []hint.Hint
	r.eventually("a hint at "+name, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		at := slices.IndexFunc(r.hints, func(h hint.Hint) bool { return h.Path == name })
		if at >= 0 {
			hints = merge(r.hints[:at])
		}
		return at >= 0
	})
	return hints
}

// merge puts the hints of each path together, as the watcher does within a batch.
func merge(hints []hint.Hint) []hint.Hint {
	byPath := make(map[string]hint.Hint)
	for _, h := range hints {
		if !strings.HasPrefix(h.Path, "marker ") {
			byPath[h.Path] = hint.Hint{Path: h.Path, Deep: h.Deep || byPath[h.Path].Deep, Gone: h.Gone}
		}
	}
	var merged []hint.Hint
	for _, h := range byPath {
		merged = append(merged, h)
	}
	slices.SortFunc(merged, func(a, b hint.Hint) int { return strings.Compare(a.Path, b.Path) })
	return merged
}

// agree checks that the tree of watches and the notifier have the same ones.
func (r *rig) agree() {
	r.t.Helper()
	r.w.dirs.mu.Lock()
	defer r.w.dirs.mu.Unlock()
	var want []string
	for path, n := range r.w.dirs.tree.byPath {
		if n.state == watched {
			want = append(want, path)
		}
	}
	var got []string
	if r.w.dirs.notifier != nil {
		got = r.w.dirs.notifier.WatchList()
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("watches of the tree (-) and of the notifier (+):\n%s", diff)
	}
	if len(want) != r.w.dirs.tree.count[watched] {
		r.t.Fatalf("%d watches are counted as %d", len(want), r.w.dirs.tree.count[watched])
	}
}

// eventually waits until ok.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("%s: not within %s; health is %+v, hints were %+v", what, patience, r.w.Health(), r.hints)
		}
	}
}

func (r *rig) at(path string) string {
	if path == "" {
		return r.cfg.Root
	}
	return r.cfg.Root + "/" + path
}

// write makes files with their path as content; those that end in a slash become directories.
func (r *rig) write(paths ...string) {
	r.t.Helper()
	for _, path := range paths {
		if strings.HasSuffix(path, "/") {
			r.must(os.MkdirAll(r.at(path), 0o755))
			continue
		}
		r.must(os.MkdirAll(filepath.Dir(r.at(path)), 0o755))
		r.must(os.WriteFile(r.at(path), []byte(path), 0o644))
	}
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	r.must(os.Rename(r.at(from), r.at(to)))
}

func (r *rig) remove(path string) {
	r.t.Helper()
	r.must(os.RemoveAll(r.at(path)))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}
