//go:build linux

package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/snapsync/snapsync/engine/loop"
)

// disk makes a file system of its own, which is not mounted in the source yet, and returns where it can be
// written to all the same.
func (s *staying) disk(name string) (at string) {
	s.t.Helper()
	at = filepath.Join(s.dir, name)
	s.must(os.Mkdir(at, 0o755))
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "size=8m"); err != nil {
		s.t.Skipf("cannot mount here: %v", err)
	}
	s.t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	return at
}

func (s *staying) mount(disk, at string) {
	s.t.Helper()
	s.must(unix.Mount(disk, at, "", unix.MS_BIND, ""))
	s.t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
}

// unmount does as umount(8): whoever watches or looks must not keep a disk from being taken out.
func (s *staying) unmount(at string) {
	s.t.Helper()
	s.until("the unmount", func() bool {
		err := unix.Unmount(at, 0)
		if err != nil && err != unix.EBUSY { // it may be looked at for a moment
			s.t.Fatal(err)
		}
		return err == nil
	})
}

func (s *staying) put(path, content string) {
	s.t.Helper()
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	s.must(os.WriteFile(path, []byte(content), 0o644))
}

// A disk inside the source is unmounted and mounted again.
func TestStayNestedMount(t *testing.T) {
	t.Parallel()
	if !inNamespace(t, syscall.CLONE_NEWNS) {
		return
	}
	s := newStaying(t)
	disk := s.disk("disk")
	at := filepath.Join(s.source, "d", "mounted")
	s.write("d/file")
	s.must(os.Mkdir(at, 0o755))
	s.put(filepath.Join(disk, "a"), "1")
	s.put(filepath.Join(disk, "sub/b"), "2")
	s.put(filepath.Join(disk, "sub/gone"), "3")
	s.mount(disk, at)
	s.start()
	s.mirrors("all")
	s.await("the start", in(loop.Idle))

	for range 2 {
		s.unmount(at)
		st := s.await("what is held", in(loop.Held))
		if want := `"d/mounted"`; !strings.Contains(st.Why, want) || st.HeldByMounts == 0 {
			t.Errorf("it does not say what is held: %d, %s", st.HeldByMounts, st.Why)
		}
		s.write("d/file", time.Now().String()) // the rest goes on
		s.put(filepath.Join(disk, "sub/b"), "2, changed while it was away")
		s.until("the rest", func() bool {
			there := s.files(s.remote)
			return there["d/file"] == s.files(s.source)["d/file"] && there["d/mounted/a"] == "1" && there["d/mounted/sub/gone"] == "3"
		})
		s.mount(disk, at)
		s.mirrors("what was changed while it was away")
		s.await("rest", in(loop.Idle))
		s.put(filepath.Join(at, "sub/b"), "2, changed when it was back")
		s.mirrors("what was changed when it was back")
	}
	for _, want := range []string{"nothing beneath is deleted", "held: ", "idle again"} {
		if !strings.Contains(s.said(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	s.must(os.Remove(filepath.Join(at, "sub/gone"))) // while it is there, absence proves something
	s.mirrors("the removal")
	s.stop()
}

// The source is a disk that is unmounted and mounted again; then another disk takes its place.
func TestStaySourceUnmounted(t *testing.T) {
	t.Parallel()
	if !inNamespace(t, syscall.CLONE_NEWNS) {
		return
	}
	s := newStaying(t)
	disk := s.disk("disk")
	s.put(filepath.Join(disk, "a"), "1")
	s.put(filepath.Join(disk, "sub/b"), "2")
	s.mount(disk, s.source)
	s.start()
	s.mirrors("all")
	s.await("the start", in(loop.Idle))
	mirrored := s.files(s.remote)

	s.unmount(s.source)
	st := s.await("what is held", in(loop.Held))
	if st.ErrorClass != "source" || !strings.Contains(st.Why, "it goes on when that is back") {
		t.Errorf("it does not say what is wrong: %s, %s", st.ErrorClass, st.Why)
	}
	s.put(filepath.Join(s.source, "beneath"), "not of this disk")
	s.put(filepath.Join(disk, "sub/b"), "2, changed while it was away")
	s.must(os.Remove(filepath.Join(disk, "a")))
	time.Sleep(3 * time.Second) // as long as it takes to notice, and to try again
	if got := s.files(s.remote); len(got) != len(mirrored) || got["a"] != "1" || got["sub/b"] != "2" {
		t.Errorf("the remote was touched: %q", got)
	}
	s.mount(disk, s.source)
	s.mirrors("what was changed while it was away")
	s.await("rest", in(loop.Idle))
	s.put(filepath.Join(s.source, "sub/b"), "2, changed when it was back")
	s.mirrors("what was changed when it was back")

	other := s.disk("other")
	s.unmount(s.source)
	s.mount(other, s.source)
	s.await("what is held", in(loop.Held))
	if got := s.files(s.remote); len(got) != 1 {
		t.Errorf("the remote was touched: %q", got)
	}
	s.put(filepath.Join(s.source, "c"), "3")
	if said, status := s.run("approve", "--new-source"); status != 0 {
		t.Fatalf("approve --new-source ends with %d: %s", status, said)
	}
	s.mirrors("what the new source holds")
	s.stop()
}
