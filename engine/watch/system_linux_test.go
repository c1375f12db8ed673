package watch

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/snapsync/snapsync/engine/hint"
)

// mount puts a new empty file system at path, or skips the test where that may not be done.
func (r *rig) mount(path string) {
	r.t.Helper()
	if err := unix.Mount("tmpfs", r.at(path), "tmpfs", 0, "size=1m"); err != nil {
		r.t.Skipf("cannot mount here: %v", err)
	}
	r.t.Cleanup(func() { unix.Unmount(r.at(path), unix.MNT_DETACH) })
}

func (r *rig) unmount(path string) {
	r.t.Helper()
	r.must(unix.Unmount(r.at(path), unix.MNT_DETACH))
}

func deepAt(path string) func(hint.Hint) bool {
	return func(h hint.Hint) bool { return h == hint.Hint{Path: path, Deep: true} }
}

func TestMountComesAndGoes(t *testing.T) {
	r := newRig(t)
	r.write("d/m/under/f")
	r.open()
	before := r.w.Health().Watched
	for range 3 {
		r.mount("d/m")
		r.await("the mount", deepAt("d/m"))
		r.write("d/m/over/f")
		r.sync()
		r.write("d/m/over/g")
		r.sync()
		r.unmount("d/m")
		r.await("the mount", deepAt("d/m"))
		r.write("d/m/under/g")
		r.sync()
		if after := r.w.Health().Watched; after != before {
			t.Errorf("%d watches, %d before", after, before)
		}
	}
}

func TestMountExcluded(t *testing.T) {
	r := newRig(t)
	r.write("m/f", "skip/m/", "d/")
	r.mount("m")
	r.write("m/sub/f")
	r.cfg.OneFileSystem = true
	r.cfg.Skip = func(dir string) bool { return dir == "skip" }
	r.open()
	if h := r.w.Health(); h.Watched != 2 || h.Polled != 0 {
		t.Errorf("health is %+v, want the watches of the root and d only", h)
	}
	got := r.hintsOf(func() {
		r.write("m/sub/g")
		r.mount("skip/m")
		time.Sleep(5 * glanceEvery)
	})
	if len(got) != 0 {
		t.Errorf("hints %+v", got)
	}
	r.unmount("m")
	r.await("the mount", deepAt("m"))
	r.write("m/g")
	r.sync()
}

func TestMountRemote(t *testing.T) {
	for name, kind := range map[string]func(){
		"by name":   func() { remoteKinds["tmpfs"] = true },
		"by statfs": func() { remote[unix.TMPFS_MAGIC] = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() {
				delete(remoteKinds, "tmpfs")
				delete(remote, unix.TMPFS_MAGIC)
			})
			r := newRig(t)
			r.cfg.PollInterval = 50 * time.Millisecond
			r.write("d/m/")
			r.mount("d/m")
			r.write("d/m/sub/f")
			kind()
			r.open()
			h := r.w.Health()
			if h.Watched != 2 || h.Polled != 1 || len(h.Problems) != 1 || !strings.Contains(h.Problems[0], r.at("d/m")) {
				t.Errorf("health is %+v", h)
			}
			r.write("d/m/sub/g")
			r.await("what is polled", deepAt("d/m"))
			r.await("what is polled", deepAt("d/m"))
			r.sync()
			r.unmount("d/m")
			r.eventually("no problem", func() bool { h := r.w.Health(); return h.Watched == 3 && len(h.Problems) == 0 })
		})
	}
}

func TestMountRootRemote(t *testing.T) {
	t.Cleanup(func() { delete(remote, unix.TMPFS_MAGIC) })
	r := newRig(t)
	r.mount("")
	remote[unix.TMPFS_MAGIC] = true
	r.cfg.PollInterval = 50 * time.Millisecond
	r.write("d/f")
	r.open()
	if h := r.w.Health(); h.Watched != 0 || h.Polled != 1 || len(h.Problems) != 1 {
		t.Errorf("health is %+v", h)
	}
	r.write("d/g")
	r.await("the root", deepAt(""))
}

func TestMountBindOneFileSystem(t *testing.T) {
	// It is the same file system, for this purpose and for the scan.
	outside := newRig(t)
	outside.write("d/f")
	r := newRig(t)
	r.write("m/")
	r.cfg.OneFileSystem = true
	if err := unix.Mount(outside.at(""), r.at("m"), "", unix.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(r.at("m"), unix.MNT_DETACH) })
	r.open()
	r.write("m/d/g")
	r.sync()
}

func TestMountBind(t *testing.T) {
	r := newRig(t)
	r.cfg.PollInterval = 50 * time.Millisecond
	r.write("a/b/f", "m/")
	if err := unix.Mount(r.at("a"), r.at("m"), "", unix.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(r.at("m"), unix.MNT_DETACH) })
	r.open()
	h := r.w.Health()
	if h.Watched != 3 || h.Polled != 1 || len(h.Problems) != 1 {
		t.Errorf("health is %+v", h)
	}
	r.write("a/b/f", "a/b/g")
	r.settle()
	for range 2 {
		r.await("one of the two", func(h hint.Hint) bool { return h.Deep && (h.Path == "a" || h.Path == "m") })
	}
	r.unmount("m")
	r.eventually("both watched", func() bool { h := r.w.Health(); return h.Watched == 4 && h.Polled == 0 })
	r.sync()
}

func TestMountRootGone(t *testing.T) {
	r := newRig(t)
	r.mount("")
	r.write("d/f")
	r.open()
	r.unmount("")
	r.await("the root", deepAt(""))
	r.sync()
	r.mount("")
	r.await("the root", deepAt(""))
	r.write("e/f")
	r.sync()
}

func TestPathTooLong(t *testing.T) {
	r := newRig(t)
	r.cfg.PollInterval = 50 * time.Millisecond
	name := strings.Repeat("n", 200)
	dig := func(depth int) {
		t.Helper()
		at, err := unix.Open(r.at(""), unix.O_PATH|unix.O_DIRECTORY, 0)
		r.must(err)
		for range depth {
			if err := unix.Mkdirat(at, name, 0o755); err != nil && err != unix.EEXIST {
				t.Fatal(err)
			}
			next, err := unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY, 0)
			r.must(err)
			unix.Close(at)
			at = next
		}
		unix.Close(at)
	}
	t.Cleanup(func() { exec.Command("rm", "-rf", r.at(name)).Run() })
	dig(25)
	r.open()
	h := r.w.Health()
	if h.Watched < 15 || h.Polled != 1 || len(h.Problems) != 1 {
		t.Errorf("%d watched, %d polled, problems %q", h.Watched, h.Polled, h.Problems)
	}
	r.await("what is polled", func(h hint.Hint) bool { return h.Deep && len(r.at(h.Path)) > 4000 })
	r.must(exec.Command("rm", "-rf", r.at(name)).Run())
	r.eventually("nothing polled", func() bool { h := r.w.Health(); return h.Watched == 1 && h.Polled == 0 })
	dig(25) // and while it is watched
	r.eventually("all but the last watched", func() bool { n := r.w.Health(); return n.Watched == h.Watched && n.Polled == 1 })
}

// setSysctl sets a value below /proc/sys and returns what puts the old one back. Tests of other packages do
// the same at the same time: the lock makes the old one what was there before all of them.
func setSysctl(t *testing.T, name string, value int) (restore func()) {
	t.Helper()
	path := "/proc/sys/" + name
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("cannot set %s here: %v", name, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
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
		os.WriteFile(path, old, 0)
		f.Close()
	})
}

func TestOverflow(t *testing.T) {
	r := newRig(t)
	r.write("d/")
	restore := setSysctl(t, "fs/inotify/max_queued_events", 8) // taken over when a queue is made
	defer restore()
	r.open()
	restore()
	for i := 0; r.w.Health().Overflows == 0; i++ {
		if i == 200 {
			t.Skip("the queue does not overflow here")
		}
		for j := range 200 {
			r.write(fmt.Sprintf("d/%d/%d/f", i, j))
		}
	}
	r.await("the root", deepAt(""))
	r.eventually("all watched", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.queue) == 0
	})
	time.Sleep(2 * overflowRest)
	r.sync()
	r.rename("d/0", "e")
	r.sync()
}

// inNamespace runs the rest of the test in a process with limits of its own, as a user without
// privileges. It returns true in that process.
func inNamespace(t *testing.T, limits map[string]int) bool {
	t.Helper()
	if os.Getenv("WATCH_TEST_NAMESPACE") != "" {
		return true
	}
	// As root of its own namespace it sets the limits; with the user changed it cannot, nor override
	// permissions.
	var script strings.Builder
	for name, value := range limits {
		fmt.Fprintf(&script, "echo %d >/proc/sys/user/%s || exit 99\n", value, name)
	}
	script.WriteString(`exec "$@"`)
	cmd := exec.Command("sh", "-c", script.String(), "sh", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "WATCH_TEST_NAMESPACE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if limits == nil {
		cmd.SysProcAttr.UidMappings[0].ContainerID = 1000
		cmd.SysProcAttr.GidMappings[0].ContainerID = 1000
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99:
		t.Skipf("no namespace with limits of its own here: %v\n%s", err, out)
	default:
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func TestLimitOfTheSystem(t *testing.T) {
	if !inNamespace(t, map[string]int{"max_inotify_watches": 10}) {
		return
	}
	r := newRig(t)
	r.cfg.PollInterval = 50 * time.Millisecond
	for i := range 20 {
		r.write(fmt.Sprintf("%d/sub/f", i))
	}
	logged := t.TempDir() + "/log"
	log, err := os.Create(logged)
	r.must(err)
	defer log.Close()
	r.cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	r.open()
	text, err := os.ReadFile(logged)
	r.must(err)
	if want := moreWatches(31); strings.Count(string(text), want) != 1 {
		t.Errorf("%q is not in the log once: %s", want, text)
	}
	h := r.w.Health()
	if h.Watched != 10 || h.Polled != 31 || len(h.Problems) != 1 || !strings.Contains(h.Problems[0], "sysctl fs.inotify.max_user_watches=") {
		t.Fatalf("health is %+v", h)
	}
	for i := range 20 {
		r.write(fmt.Sprintf("%d/sub/new", i))
		r.await("what is polled", func(h hint.Hint) bool { return h.Deep || h.Path == fmt.Sprintf("%d/sub/new", i) })
	}
	r.must(os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("1000"), 0))
	r.eventually("everything watched", func() bool { h := r.w.Health(); return h.Watched == 41 && len(h.Problems) == 0 })
	r.sync()
}

func TestInstancesOfTheSystem(t *testing.T) {
	if !inNamespace(t, map[string]int{"max_inotify_instances": 0}) {
		return
	}
	r := newRig(t)
	r.cfg.PollInterval = 50 * time.Millisecond
	r.write("d/e/f")
	r.open()
	h := r.w.Health()
	if h.Watched != 0 || h.Polled != 3 || len(h.Problems) != 1 || !strings.Contains(h.Problems[0], "sysctl fs.inotify.max_user_instances=") {
		t.Fatalf("health is %+v", h)
	}
	r.await("what is polled", deepAt(""))
	r.must(os.WriteFile("/proc/sys/user/max_inotify_instances", []byte("10"), 0))
	r.eventually("everything watched", func() bool { h := r.w.Health(); return h.Watched == 3 && len(h.Problems) == 0 })
	r.sync()
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 && !inNamespace(t, nil) {
		return
	}
	r := newRig(t)
	r.write("d/closed/sub/f", "e/")
	closed := r.at("d/closed")
	r.must(os.Chmod(closed, 0))
	t.Cleanup(func() { os.Chmod(closed, 0o755) })
	r.open()
	h := r.w.Health()
	if h.Watched != 3 || h.Polled != 0 || len(h.Problems) != 1 || !strings.Contains(h.Problems[0], closed) {
		t.Fatalf("health is %+v", h)
	}
	r.must(os.Chmod(closed, 0o755))
	r.await("what became readable", deepAt("d/closed"))
	r.write("d/closed/sub/g")
	r.sync()
	if h := r.w.Health(); h.Watched != 5 || len(h.Problems) != 0 {
		t.Errorf("health is %+v", h)
	}
}

// TestShut closes a directory that is watched, and opens it again: nobody knows what happened in it meanwhile.
func TestShut(t *testing.T) {
	if os.Getuid() == 0 && !inNamespace(t, nil) {
		return
	}
	r := newRig(t)
	r.write("d/closed/sub/f", "e/")
	r.open()
	closed := r.at("d/closed")
	t.Cleanup(func() { os.Chmod(closed, 0o755) })
	for _, mode := range []os.FileMode{0, 0o100, 0o300, 0o400} {
		r.must(os.Chmod(closed, mode))
		r.eventually("noticed that it is shut", func() bool { h := r.w.Health(); return h.Watched == 3 && len(h.Problems) == 1 })
		r.must(os.Chmod(closed, 0o755))
		r.await("what was opened again", deepAt("d/closed"))
		r.sync()
		if h := r.w.Health(); h.Watched != 5 || len(h.Problems) != 0 {
			t.Errorf("health after mode %o is %+v", mode, h)
		}
	}
}

// TestLinkTurned turns a link to another directory, which is another tree where links are followed, and puts one in the place of a
// directory.
func TestLinkTurned(t *testing.T) {
	r := newRig(t)
	r.write("a/f", "b/f", "d/f")
	r.must(os.Symlink("a", r.at("link")))
	r.open()
	r.must(errors.Join(os.Symlink("b", r.at("new")), os.Rename(r.at("new"), r.at("link"))))
	r.await("what the link leads to", deepAt("link"))
	r.must(errors.Join(os.RemoveAll(r.at("d")), os.Symlink("a", r.at("d"))))
	r.await("what is in the directory's place", deepAt("d"))
}

func TestUnreadableRoot(t *testing.T) {
	if os.Getuid() == 0 && !inNamespace(t, nil) {
		return
	}
	r := newRig(t)
	r.must(os.Chmod(r.at(""), 0))
	t.Cleanup(func() { os.Chmod(r.at(""), 0o755) })
	if w, err := Open(t.Context(), r.cfg, func(hint.Hint) {}); err == nil {
		w.Close()
		t.Error("opened")
	}
}

func TestRemedy(t *testing.T) {
	limit := inotifyLimit("max_user_watches", 0)
	var n int
	if _, err := fmt.Sscanf(moreWatches(100_000), "sysctl fs.inotify.max_user_watches=%d", &n); err != nil {
		t.Fatal(err)
	}
	if n < limit+100_000 || n > 4*(limit+100_000) {
		t.Errorf("%d for 100,000 more than %d", n, limit)
	}
}
