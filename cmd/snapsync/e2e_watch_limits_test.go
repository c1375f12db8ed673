//go:build linux

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
)

// sysctl sets a value beneath /proc/sys until restore is called, or skips the test where that may not be
// done. Tests of other packages do the same at the same time: the lock on the file makes each restore what
// was there before all of them.
func sysctl(t *testing.T, name string, value int) (restore func()) {
	t.Helper()
	path := "/proc/sys/" + name
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("cannot set %s here: %v", name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strconv.Itoa(value)), 0)
	}
	if err != nil {
		f.Close()
		t.Skipf("cannot set %s here: %v", name, err)
	}
	return sync.OnceFunc(func() {
		if err := os.WriteFile(path, old, 0); err != nil {
			t.Errorf("%s stays %d: %v", name, value, err)
		}
		f.Close()
	})
}

// Events that are lost cost a look at everything, and nothing else.
func TestStayOverflow(t *testing.T) {
	s := newStaying(t)
	s.write("d/old")
	restore := sysctl(t, "fs/inotify/max_queued_events", 8) // taken over when a queue is made
	defer restore()
	s.start()
	s.await("the start", in(loop.Idle))
	restore()

	const dirs, files = 40, 50
	dir := func(i int) string { return filepath.Join(s.source, "tumult", strconv.Itoa(i)) }
	for i := range dirs {
		for j := range files {
			s.write(fmt.Sprintf("tumult/%d/sub/%d", i, j))
		}
	}
	for i := range dirs {
		switch i % 4 {
		case 0:
			s.must(os.Rename(dir(i), dir(i)+" renamed"))
		case 1:
			s.must(os.RemoveAll(dir(i)))
		case 2:
			s.must(os.Rename(filepath.Join(dir(i), "sub"), filepath.Join(s.source, fmt.Sprint("moved ", i))))
		}
	}
	s.mirrors("all of it")
	st := s.await("rest", in(loop.Idle))
	if st.Live.Watch.Overflows == 0 {
		t.Errorf("no overflow is counted: %+v", st.Live.Watch)
	}
	if text, _ := s.run("status"); !strings.Contains(text, "events were lost") {
		t.Errorf("status does not say that events were lost:\n%s", text)
	}
	if said := s.said(); !strings.Contains(said, "fs.inotify.max_queued_events") {
		t.Error("the log does not name the limit")
	}
	if st.Live.Watch.Polled != 0 || len(st.Live.Watch.Problems) != 0 {
		t.Errorf("not everything is watched afterwards: %+v", st.Live.Watch)
	}
	s.write("moved 2/afterwards") // in a directory that nobody saw come
	s.mirrors("what came afterwards")
	s.stop()
}

// What there are no watches for is polled, and whoever looks is told how to have more.
func TestStayWatchLimit(t *testing.T) {
	t.Parallel()
	if !inNamespace(t, 0) {
		return
	}
	limit := func(n int) {
		if err := os.WriteFile("/proc/sys/user/max_inotify_watches", []byte(strconv.Itoa(n)), 0); err != nil {
			t.Skipf("cannot set the limit of watches here: %v", err)
		}
	}
	const dirs, watches = 40, 20
	limit(watches)
	s := newStaying(t)
	for i := range dirs {
		s.write(fmt.Sprintf("%d/sub/f", i))
	}
	s.start("--poll-interval", "300ms")
	polled := func(st *status.Status) bool { return st.Live.Watch.Polled > 0 && st.State == string(loop.Idle) }
	st := s.await("the start", polled)
	if w := st.Live.Watch; w.Watched != watches || w.Watched+w.Polled != 1+2*dirs {
		t.Errorf("of %d directories and %d watches: %+v", 1+2*dirs, watches, w)
	}
	line := s.everywhere(st, regexp.MustCompile(`sysctl fs\.inotify\.max_user_watches=\d+`))
	if n, _ := strconv.Atoi(line[strings.Index(line, "=")+1:]); n < watches+dirs {
		t.Errorf("%s is not enough", line)
	}

	for i := range dirs {
		s.write(fmt.Sprintf("%d/sub/f", i), " changed")
		s.write(fmt.Sprintf("%d/new/g", i))
	}
	s.must(os.RemoveAll(filepath.Join(s.source, "7")))
	s.must(os.Rename(filepath.Join(s.source, "8"), filepath.Join(s.source, "moved")))
	s.mirrors("what was changed in directories that are polled")

	limit(10 * dirs)
	s.await("watches for all", func(st *status.Status) bool { return st.Live.Watch.Polled == 0 && in(loop.Idle)(st) })
	s.write("39/sub/f", " again")
	s.mirrors("what was changed afterwards")
	if text, status := s.run("doctor"); status != 0 || !strings.Contains(text, "ok       watch") {
		t.Errorf("doctor ends with %d:\n%s", status, text)
	}
	s.stop()
}

// Where the system gives no watcher at all, everything is polled.
func TestStayNoWatcher(t *testing.T) {
	t.Parallel()
	if !inNamespace(t, 0) {
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_inotify_instances", []byte("0"), 0); err != nil {
		t.Skipf("cannot set the limit of watchers here: %v", err)
	}
	s := newStaying(t)
	s.write("d/f")
	s.start("--poll-interval", "300ms")
	st := s.await("the start", func(st *status.Status) bool { return st.State == string(loop.Idle) && st.Files == 1 })
	if w := st.Live.Watch; w.Watched != 0 || w.Polled != 2 {
		t.Errorf("without a watcher: %+v", w)
	}
	s.everywhere(st, regexp.MustCompile(`sysctl fs\.inotify\.max_user_instances=\d+`))
	s.write("d/f", " changed")
	s.write("new/g")
	s.must(os.Remove(filepath.Join(s.source, "d/f")))
	s.mirrors("what was changed")
	s.stop()
}
