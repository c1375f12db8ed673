package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCloseWhileReading: Close does not wait for a Read that hangs, and that Read keeps its descriptor, whose
// number would be another file's otherwise.
func TestCloseWhileReading(t *testing.T) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	f := &file{sharedFD{fd: ends[0]}}
	type result struct {
		n   int
		err error
	}
	read := make(chan result)
	go func() {
		n, err := f.Read(make([]byte, 8))
		read <- result{n, err}
	}()
	for reading := false; !reading; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		reading = f.users > 0
		f.mu.Unlock()
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := f.Read(make([]byte, 8)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(ends[0]), unix.F_GETFD, 0); err != nil {
		t.Errorf("the descriptor is gone while it is read from: %v", err)
	}
	if _, err := unix.Write(ends[1], []byte("late")); err != nil {
		t.Fatal(err)
	}
	if r := <-read; r.n != 4 || r.err != nil {
		t.Errorf("the Read that hung: %d, %v", r.n, r.err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(ends[0], &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
		t.Error("the descriptor is open after its last user")
	}
	unix.Close(ends[1])
}

// TestContentKeepsDescriptors: reading, failing to and closing leave none open.
func TestContentKeepsDescriptors(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := openDescriptors(t)
	for range 20 {
		if _, _, err := HashFile(t.Context(), Config{Root: root}, "f"); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"d", "gone", "f/beneath"} {
			if c, err := NewContent(Config{Root: root}, path); err == nil {
				t.Errorf("%s has the content %v", path, c.Entry())
			}
		}
		c, err := NewContent(Config{Root: root}, "f")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "f"), []byte("other content"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Open(); !errors.Is(err, ErrChanged) {
			t.Fatalf("Open of a file that changed: %v", err)
		}
		c.Close()
		if _, err := c.Open(); err == nil {
			t.Fatal("Open after Close worked")
		}
		if err := os.WriteFile(filepath.Join(root, "f"), []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors are open, and before %d were", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
