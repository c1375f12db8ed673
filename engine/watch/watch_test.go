package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine/hint"
)

func TestHints(t *testing.T) {
	tests := []struct {
		name   string
		before []string
		do     func(r *rig)
		want   []hint.Hint
	}{
		{"file made", nil, func(r *rig) { r.write("f") }, []hint.Hint{{Path: "f"}}},
		{"file written", []string{"d/f"}, func(r *rig) { r.must(os.WriteFile(r.at("d/f"), []byte("x"), 0o644)) }, []hint.Hint{{Path: "d/f"}}},
		{"file truncated", []string{"f"}, func(r *rig) { r.must(os.Truncate(r.at("f"), 1)) }, []hint.Hint{{Path: "f"}}},
		{"file removed", []string{"f"}, func(r *rig) { r.remove("f") }, []hint.Hint{{Path: "f", Gone: true}}},
		{"file renamed", []string{"f"}, func(r *rig) { r.rename("f", "g") }, []hint.Hint{{Path: "f", Gone: true}, {Path: "g"}}},
		{"file saved by an editor", []string{"f"}, func(r *rig) { r.write("tmp"); r.rename("tmp", "f") },
			[]hint.Hint{{Path: "f"}, {Path: "tmp", Gone: true}}},
		{"file saved with a backup", []string{"f"}, func(r *rig) { r.rename("f", "f~"); r.write("f") }, []hint.Hint{{Path: "f"}, {Path: "f~"}}},
		{"file made and gone", nil, func(r *rig) { r.write("f"); r.remove("f") }, []hint.Hint{{Path: "f", Gone: true}}},
		{"attributes", []string{"d/f"}, func(r *rig) { r.must(os.Chmod(r.at("d/f"), 0o600)) }, []hint.Hint{{Path: "d/f"}}},
		{"attributes of a directory", []string{"d/f"}, func(r *rig) { r.must(os.Chmod(r.at("d"), 0o700)) }, []hint.Hint{{Path: "d"}}},
		{"attributes of the root", []string{"f"}, func(r *rig) { r.must(os.Chmod(r.at(""), 0o700)) }, nil},
		{"link made", []string{"d/"}, func(r *rig) { r.must(os.Symlink("d", r.at("l"))) }, []hint.Hint{{Path: "l", Deep: true}}},
		{"hard link made", []string{"f"}, func(r *rig) { r.must(os.Link(r.at("f"), r.at("g"))) }, []hint.Hint{{Path: "g"}}},
		{"directory made", nil, func(r *rig) { r.write("d/") }, []hint.Hint{{Path: "d", Deep: true}}},
		{"directory removed", []string{"d/"}, func(r *rig) { r.remove("d") }, []hint.Hint{{Path: "d", Gone: true}}},
		{"directory renamed", []string{"d/e/f"}, func(r *rig) { r.rename("d", "x") },
			[]hint.Hint{{Path: "d", Gone: true}, {Path: "x", Deep: true}}},
		{"directory replaced by a file", []string{"d/"}, func(r *rig) { r.remove("d"); r.write("d") }, []hint.Hint{{Path: "d"}}},
		{"file replaced by a directory", []string{"d"}, func(r *rig) { r.remove("d"); r.write("d/") }, []hint.Hint{{Path: "d", Deep: true}}},
		{"names", nil, func(r *rig) { r.write("new\nline", "\xff\xfe/", " ", "-") },
			[]hint.Hint{{Path: " "}, {Path: "-"}, {Path: "new\nline"}, {Path: "\xff\xfe", Deep: true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.write(test.before...)
			r.open()
			got := r.hintsOf(func() { test.do(r) })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
			r.sync()
		})
	}
}

func TestDirectoryRenamedKeepsWatch(t *testing.T) {
	r := newRig(t)
	r.write("a/b/c/f", "a/g", "other/")
	r.open()
	before := r.w.Health().Watched
	for _, step := range [][2]string{{"a", "x"}, {"x", "other/y"}, {"other/y/b", "other/y/bb"}, {"other", "a"}} {
		r.rename(step[0], step[1])
		r.sync()
	}
	got := r.hintsOf(func() { r.write("a/y/bb/c/new") })
	if want := []hint.Hint{{Path: "a/y/bb/c/new"}}; !cmp.Equal(want, got) {
		t.Errorf("hints %+v, want %+v", got, want)
	}
	if after := r.w.Health().Watched; after != before {
		t.Errorf("%d watches, %d before the renames", after, before)
	}
}

func TestDirectoryMovedOutAndIn(t *testing.T) {
	r := newRig(t)
	outside := t.TempDir() + "/d"
	r.write("d/e/f", "d/g")
	r.open()
	r.must(os.Rename(r.at("d"), outside))
	r.sync()
	if n := r.w.Health().Watched; n != 1 {
		t.Errorf("%d watches, want that of the root alone", n)
	}
	got := r.hintsOf(func() { r.must(os.WriteFile(outside+"/e/f", nil, 0o644)) })
	if len(got) != 0 {
		t.Errorf("hints from outside: %+v", got)
	}
	r.must(os.Rename(outside, r.at("back")))
	r.sync()
	r.write("back/e/f")
	r.sync()
}

func TestDirectoriesMadeInOneGo(t *testing.T) {
	r := newRig(t).open()
	for i := range 200 {
		r.write(fmt.Sprintf("%d/b/c/d/e/f", i), fmt.Sprintf("%d/b/c/g", i))
	}
	r.sync()
	r.remove("7")
	for i := range 20 {
		r.rename(fmt.Sprintf("%d/b/c", i+10), fmt.Sprintf("c%d", i))
		r.write(fmt.Sprintf("c%d/d/e/later", i))
	}
	r.sync()
}

func TestDirectoryReplacedWhileWalked(t *testing.T) {
	// Names go round while the watcher walks: what a walk found has moved on when its event is read.
	r := newRig(t)
	for _, d := range []string{"a", "b", "c"} {
		for i := range 30 {
			r.write(fmt.Sprintf("%s/%d/f", d, i))
		}
	}
	r.open()
	for range 60 {
		r.rename("a", "tmp")
		r.rename("b", "a")
		r.rename("c", "b")
		r.rename("tmp", "c")
		r.write("a/1/x", "b/2/x", "c/3/x")
	}
	r.sync()
}

func TestRemovedRightAfterRename(t *testing.T) {
	// fsnotify, told that a watched directory moved that is no more, sends an error while it holds the
	// lock that adding a watch takes.
	r := newRig(t).open()
	for i := range 1000 {
		d, e := r.at("d"), r.at("e")
		r.must(os.Mkdir(d, 0o755))
		r.must(os.Rename(d, e))
		r.must(os.Remove(e))
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	r.sync()
	if n := r.w.Health().Overflows; n != 0 {
		t.Errorf("%d overflows", n)
	}
}

func TestSkip(t *testing.T) {
	r := newRig(t)
	r.cfg.Skip = func(dir string) bool { return filepath.Base(dir) == "skip" }
	r.write("skip/a/", "d/skip/f", "d/e/")
	r.open()
	if n := r.w.Health().Watched; n != 3 {
		t.Errorf("%d watches, want those of the root, d and d/e", n)
	}
	got := r.hintsOf(func() {
		r.write("skip/a/f", "d/skip/g", "new/skip/")
		r.remove("d/e")
		r.write("d/skip/f")
	})
	if want := []hint.Hint{{Path: "d/e", Gone: true}, {Path: "new", Deep: true}}; !cmp.Equal(want, got) {
		t.Errorf("hints %+v, want %+v", got, want)
	}
	r.rename("new/skip", "new/found")
	r.sync()
	r.write("new/found/f")
	r.sync()
}

func TestLinks(t *testing.T) {
	outside := t.TempDir()
	r := newRig(t)
	r.must(os.Symlink(outside, r.at("link")))
	r.open()
	if n := r.w.Health().Watched; n != 1 {
		t.Errorf("%d watches, want that of the root alone", n)
	}

	root := t.TempDir() + "/root"
	r.must(os.Symlink(r.cfg.Root, root))
	linked := newRig(t)
	linked.cfg.Root = root
	linked.open()
	linked.write("d/f")
	linked.sync()
	linked.write("d/g", "d/f")
	linked.sync()
}

func TestLimit(t *testing.T) {
	r := newRig(t)
	r.cfg.Limit, r.cfg.PollInterval = 4, 20*time.Millisecond
	for i := range 6 {
		r.write(fmt.Sprintf("%d/sub/f", i))
	}
	r.open()
	h := r.w.Health()
	if h.Watched != 4 || h.Polled != 9 {
		t.Errorf("%d watched, %d polled, want 4 and 9", h.Watched, h.Polled)
	}
	if len(h.Problems) != 1 || !strings.Contains(h.Problems[0], moreWatches(9)) {
		t.Errorf("problems are %q, want one with %q", h.Problems, moreWatches(9))
	}
	for i := range 6 {
		path := fmt.Sprintf("%d/sub/f", i)
		r.must(os.WriteFile(r.at(path), []byte("changed"), 0o644))
		r.await(path+" or above", func(h hint.Hint) bool {
			return h.Path == path || h.Deep && strings.HasPrefix(path, h.Path)
		})
	}
	for i := range 6 {
		if n := r.w.Health().Watched; n > 4 {
			t.Fatalf("%d watches", n)
		}
		r.remove(fmt.Sprintf("%d/sub", i))
	}
	for i := range 3 {
		r.remove(fmt.Sprint(i))
	}
	r.eventually("room for the rest", func() bool {
		h := r.w.Health()
		return h.Watched == 4 && h.Polled == 0 && len(h.Problems) == 0
	})
	r.sync()
}

func TestQueueFull(t *testing.T) {
	// The hint does not return, as if the caller were slow, until more happened than is kept.
	r := newRig(t)
	r.write("d/")
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	var once sync.Once
	w, err := Open(t.Context(), r.cfg, func(h hint.Hint) {
		once.Do(func() { held <- struct{}{}; <-hold })
		r.hint(h)
	})
	r.must(err)
	r.w, r.mirror = w, r.picture("")
	r.looks.Go(r.look)
	t.Cleanup(r.close)
	r.write("f")
	<-held
	for i := range queueMax {
		w.queue.put(eventAt(r.at(fmt.Sprintf("d/%d", i))))
	}
	r.must(os.MkdirAll(r.at("x/y"), 0o755))
	close(hold)
	r.await("the root", func(h hint.Hint) bool { return h == hint.Hint{Deep: true} })
	if n := w.Health().Overflows; n == 0 {
		t.Error("no overflow is counted")
	}
	r.write("x/y/f")
	r.sync()
}

func TestRootGone(t *testing.T) {
	for name, steal := range map[string]func(r *rig){
		"removed": func(r *rig) { r.remove("") },
		"renamed": func(r *rig) { r.must(os.Rename(r.at(""), r.at("")+" moved")) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.cfg.Root += "/root"
			r.write("d/f")
			r.open()
			r.settle()
			steal(r)
			r.await("the root", func(h hint.Hint) bool { return h == hint.Hint{Deep: true} })
			r.eventually("a problem", func() bool { return len(r.w.Health().Problems) == 1 })
			if h := r.w.Health(); h.Watched != 0 || !strings.Contains(h.Problems[0], r.cfg.Root) {
				t.Errorf("health is %+v", h)
			}
			r.write("new/f")
			r.await("the root", func(h hint.Hint) bool { return h == hint.Hint{Deep: true} })
			if h := r.w.Health(); len(h.Problems) != 0 {
				t.Errorf("health is %+v", h)
			}
			r.sync()
		})
	}
}

func TestRootReplacedUnseen(t *testing.T) {
	// Something above the root moves: of that there is no event.
	r := newRig(t)
	r.cfg.CanaryInterval = 20 * time.Millisecond
	above := r.cfg.Root + "/above"
	r.cfg.Root = above + "/root"
	r.write("d/f")
	r.open()
	r.must(os.Rename(above, above+" moved"))
	r.must(os.Mkdir(above, 0o755))
	r.write("e/g")
	r.await("the root", func(h hint.Hint) bool { return h == hint.Hint{Deep: true} })
	r.sync()
}

func TestProved(t *testing.T) {
	r := newRig(t)
	r.write("d/")
	r.open()
	r.eventually("a first proof", func() bool { return !r.w.Health().Proved.IsZero() })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.hints)+len(r.queue) > 0 {
		t.Errorf("the canary was hinted at: %+v %+v", r.hints, r.queue)
	}
	names, err := os.ReadDir(r.at(""))
	r.must(err)
	if len(names) != 1 {
		t.Errorf("the canary left something: %v", names)
	}
}

func TestSilence(t *testing.T) {
	r := newRig(t)
	r.cfg.CanaryInterval = 100 * time.Millisecond
	r.write("d/e/")
	r.open()
	r.eventually("a first proof", func() bool { return !r.w.Health().Proved.IsZero() })
	r.w.dirs.mu.Lock()
	for _, path := range r.w.dirs.notifier.WatchList() {
		r.must(r.w.dirs.notifier.Remove(path))
	}
	r.w.dirs.mu.Unlock()
	r.write("d/e/f")
	r.await("the root", func(h hint.Hint) bool { return h == hint.Hint{Deep: true} })
	r.sync()
	if h := r.w.Health(); len(h.Problems) != 1 || h.Watched != 3 {
		t.Errorf("health is %+v, want one problem and 3 watches", h)
	}
}

func TestUnprovable(t *testing.T) {
	r := newRig(t).open()
	r.eventually("a first proof", func() bool { return !r.w.Health().Proved.IsZero() })
	r.w.canary.cannotProve(fs.ErrPermission)
	if h := r.w.Health(); len(h.Problems) != 1 || !strings.Contains(h.Problems[0], "cannot be proved") {
		t.Errorf("health is %+v", h)
	}
}

func TestStorm(t *testing.T) {
	r := newRig(t)
	r.write("f", "g")
	r.open()
	f, err := os.OpenFile(r.at("f"), os.O_WRONLY|os.O_APPEND, 0)
	r.must(err)
	defer f.Close()
	const writes = 50_000
	count := 0
	for i := range writes {
		_, err := f.Write([]byte("x"))
		r.must(err)
		r.must(os.Chmod(r.at("g"), fs.FileMode(0o600+i%2)))
	}
	r.settle()
	r.mu.Lock()
	count = len(r.hints)
	r.mu.Unlock()
	r.sync()
	if count > writes/10 {
		t.Errorf("%d hints of %d writes and as many changes of attributes", count, writes)
	}
}

func TestOpenFails(t *testing.T) {
	r := newRig(t)
	r.write("file")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx  context.Context
		root string
		want error
	}{
		"nothing there":   {t.Context(), r.at("none"), fs.ErrNotExist},
		"a file":          {t.Context(), r.at("file"), nil},
		"relative":        {t.Context(), "none", nil},
		"context is done": {ended, r.at(""), context.Canceled},
	} {
		w, err := Open(test.ctx, Config{Root: test.root}, func(hint.Hint) {})
		if err == nil {
			w.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.root) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestCloseInAStorm(t *testing.T) {
	r := newRig(t)
	r.open()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				dir := r.at(fmt.Sprint(i % 100))
				os.MkdirAll(dir+"/a/b", 0o755)
				os.WriteFile(dir+"/a/b/f", nil, 0o644)
				os.RemoveAll(dir)
			}
		}
	})
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	r.must(r.w.Close())
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("closing took %s", took)
	}
	close(stop)
	wg.Wait()
	r.must(r.w.Close())
}
