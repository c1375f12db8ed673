package watch

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

func eventAt(path string) fsnotify.Event { return fsnotify.Event{Name: path, Op: fsnotify.Write} }

func TestQueue(t *testing.T) {
	q := newQueue()
	a, b := eventAt("/a"), eventAt("/b")
	for _, e := range []fsnotify.Event{a, a, b, a} {
		q.put(e)
	}
	events, lost := q.take(nil)
	if len(events) != 3 || lost {
		t.Errorf("took %v, lost is %v; want three of the four", events, lost)
	}
	for i := range queueMax + 10 {
		q.put(eventAt(fmt.Sprint(i)))
	}
	events, lost = q.take(nil)
	if len(events) > queueMax || !lost {
		t.Errorf("took %d, lost is %v", len(events), lost)
	}
	if events, lost = q.take(nil); len(events) > 0 || lost {
		t.Errorf("took %v, lost is %v from an empty queue", events, lost)
	}
}

// A table of mounts that is long is looked at less often; a machine that is busy for a moment changes nothing.
func TestGlancePause(t *testing.T) {
	const ms = time.Millisecond
	long := glanceEvery / 1000
	for _, c := range []struct {
		took []time.Duration
		want time.Duration
	}{
		{[]time.Duration{0, 0, 40 * ms}, glanceEvery},
		{[]time.Duration{40 * ms, long, 40 * ms}, 2 * glanceEvery},
		{[]time.Duration{40 * ms, 50 * ms, 60 * ms}, glanceMost},
	} {
		if got := glancePause(c.took); got != c.want {
			t.Errorf("%v after glances of %v, want %v", got, c.took, c.want)
		}
	}
}

func TestTree(t *testing.T) {
	tree := newTree()
	var nodes []*node
	for i, path := range []string{"/r", "/r/a", "/r/a/b", "/r/c", "/r/d"} {
		var parent *node
		if i > 0 {
			parent = tree.byPath[path[:len(path)-2]]
		}
		n := tree.insert(path, fileID{1, uint64(i + 1)}, parent)
		tree.set(n, watched)
		nodes = append(nodes, n)
	}
	tree.set(nodes[4], deaf)
	if tree.count[watched] != 4 || len(tree.odd) != 1 || len(tree.byID) != 4 {
		t.Fatalf("%d watched, %d not, %d by identity", tree.count[watched], len(tree.odd), len(tree.byID))
	}
	var gone []string
	tree.remove(nodes[1], func(path string) { gone = append(gone, path) })
	if fmt.Sprint(gone) != "[/r/a/b /r/a]" || tree.count[watched] != 2 || tree.byPath["/r/a/b"] != nil || len(tree.byID) != 2 {
		t.Errorf("gone are %v, %d are watched", gone, tree.count[watched])
	}
	tree.remove(nodes[0], func(string) {})
	if tree.count[watched] != 0 || len(tree.odd) != 0 || len(tree.byPath) != 0 || len(tree.byID) != 0 {
		t.Errorf("left are %v, %v, %v", tree.byPath, tree.byID, tree.odd)
	}
}

func TestMovedBeforeItsEvent(t *testing.T) {
	// A walk finds a directory where it moved to before the event of the move is handled: its watch has
	// the old path still, and is not to be taken for the new one.
	r := newRig(t)
	r.write("a/b/f")
	r.w = newWatcher(r.cfg, func(hint.Hint) {})
	r.must(r.w.begin(t.Context()))
	defer r.w.end()
	r.write("c/")
	r.rename("a", "c/a")
	r.w.handle(t.Context(), fsnotify.Event{Name: r.at("c"), Op: fsnotify.Create})
	r.agree()
	for range 2 {
		for path, want := range map[string]state{"a": unseen, "a/b": unseen, "c": watched, "c/a": watched, "c/a/b": watched} {
			if got := r.w.dirs.stateAt(r.at(path)); got != want {
				t.Errorf("the state of %s is %d, want %d", path, got, want)
			}
		}
		r.w.handle(t.Context(), fsnotify.Event{Name: r.at("a"), Op: fsnotify.Rename})
		r.agree()
	}
}

func TestMute(t *testing.T) {
	r := newRig(t)
	r.write("d/")
	w := newWatcher(r.cfg, func(hint.Hint) {})
	r.must(w.begin(t.Context()))
	defer w.end()
	for i, want := range []int{0, 1, 1, 1} {
		if w.canary.unheard(time.Now()) {
			w.beginAnew(t.Context())
		}
		if got := w.polled(); len(got) != want || want == 1 && got[0] != "" {
			t.Errorf("after %d silences %q is polled", i+1, got)
		}
		if h := w.Health(); len(h.Problems) != 1 || h.Watched != 2 {
			t.Errorf("after %d silences health is %+v", i+1, h)
		}
	}
	w.canary.heard(time.Now())
	if got := w.polled(); len(got) != 0 {
		t.Errorf("%q is polled, though events arrive", got)
	}
}

func TestNothingLeaks(t *testing.T) {
	cycle := func(i int) {
		r := newRig(t)
		r.write("a/b/c")
		r.open()
		r.write("d/e/f")
		r.settle()
		if i%2 == 0 {
			r.remove("")
		}
		r.close()
	}
	cycle(0)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for i := range 30 {
		cycle(i)
	}
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > goroutines || descriptors(t) > files {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before; %d open files, %d before", runtime.NumGoroutine(), goroutines, descriptors(t), files)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// descriptors counts open files, where the system tells.
func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}
