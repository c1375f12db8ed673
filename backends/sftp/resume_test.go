package sftp

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

var day = time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// resuming is a server behind a line that can be cut, and what is remembered of uploads to it.
type resuming struct {
	t      *testing.T
	dir    string
	server *testServer
	link   *link
	noted  *noted
}

func newResuming(t *testing.T) *resuming {
	r := &resuming{t: t, dir: t.TempDir(), noted: &noted{}, server: startServer(t)}
	r.link = startLink(t, r.server.address, 0)
	return r
}

// connect is what a process does that knows only what was noted.
func (r *resuming) connect() *connection {
	r.t.Helper()
	c := accelerated(r.t, backends.Config{Remote: remoteAt(r.link.address, r.dir), Uploads: r.noted})
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// interrupt sends src over a line that is cut after so many bytes.
func (r *resuming) interrupt(src remote.Source, after int64) {
	r.t.Helper()
	c := r.connect()
	defer c.Close()
	r.link.sever(after)
	err := c.Send(r.t.Context(), "d/large", src)
	r.link.sever(0)
	if !errors.Is(err, remote.ErrOffline) {
		r.t.Fatalf("a cut after %d bytes gives %v", after, err)
	}
	if r.noted.len() != 1 {
		r.t.Fatal("the upload is not remembered")
	}
	if _, err := os.Stat(filepath.Join(r.dir, "d/large")); err == nil {
		r.t.Fatal("a part is visible")
	}
}

// complete sends src and returns how many bytes that took.
func (r *resuming) complete(src *enginetest.Source) int64 {
	r.t.Helper()
	c := r.connect()
	defer c.Close()
	r.link.sever(0)
	if err := c.Send(r.t.Context(), "d/large", src); err != nil {
		r.t.Fatal(err)
	}
	sent := r.link.bytes()
	got, err := os.ReadFile(filepath.Join(r.dir, "d/large"))
	if err != nil || !bytes.Equal(got, src.Content) {
		r.t.Fatalf("the file has %d bytes, %v", len(got), err)
	}
	if r.noted.len() != 0 {
		r.t.Error("the upload is still remembered")
	}
	left, err := os.ReadDir(filepath.Join(r.dir, "d"))
	if err != nil || len(left) != 1 {
		r.t.Errorf("%v are left behind, %v", left, err)
	}
	return sent
}

// TestResume cuts the line at many places, on a server that writes out of order, and counts what is
// sent until the file is there.
func TestResume(t *testing.T) {
	const size = 48 << 20
	src := &enginetest.Source{Content: randomBytes(size), Mtime: day}
	for _, cuts := range [][]int64{{1 << 20}, {9 << 20}, {33 << 20}, {size - 1<<20}, {20 << 20, 20 << 20}} {
		r := newResuming(t)
		var sent int64
		for _, after := range cuts {
			r.interrupt(src, after)
			sent += after
		}
		sent += r.complete(src)
		// What was in flight is sent again, and the protocols take their part.
		if most := int64(size*102/100 + len(cuts)*(maxWindow+1<<20)); sent > most {
			t.Errorf("cut after %v: %d bytes were sent for %d", cuts, sent, size)
		}
		r.server.stop()
	}
}

// TestResumeNot covers what makes an upload start anew.
func TestResumeNot(t *testing.T) {
	const size = 28 << 20
	content := randomBytes(size)
	for name, harm := range map[string]func(r *resuming, partial string, src *enginetest.Source) error{
		"SourceChanged": func(_ *resuming, _ string, src *enginetest.Source) error {
			src.Mtime = day.Add(time.Second)
			src.Content = append([]byte("new "), content[4:]...)
			return nil
		},
		"SourceChangedUnseen": func(_ *resuming, _ string, src *enginetest.Source) error {
			src.Content = append([]byte("new "), content[4:]...)
			return nil
		},
		"PartialGone":      func(_ *resuming, partial string, _ *enginetest.Source) error { return os.Remove(partial) },
		"PartialTruncated": func(_ *resuming, partial string, _ *enginetest.Source) error { return os.Truncate(partial, 10<<20) },
		"PartialTooLong":   func(_ *resuming, partial string, _ *enginetest.Source) error { return os.Truncate(partial, size+1) },
		"PartialOfAnother": func(_ *resuming, partial string, _ *enginetest.Source) error {
			return os.WriteFile(partial, make([]byte, size-1), 0o600)
		},
		"OtherConnection": func(r *resuming, _ string, _ *enginetest.Source) error {
			r.noted.uploads["d/large"].Connection = "sftp:somebody@elsewhere:22:/"
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResuming(t)
			src := &enginetest.Source{Content: content, Mtime: day}
			r.interrupt(src, 26<<20)
			if u, _ := r.noted.Upload("d/large"); len(u.Parts) == 0 {
				t.Fatal("no part was confirmed")
			}
			if err := harm(r, filepath.Join(r.dir, remote.PartialName("d/large")), src); err != nil {
				t.Fatal(err)
			}
			if sent := r.complete(src); sent < size {
				t.Errorf("only %d bytes were sent of a file that had to start anew", sent)
			}
		})
	}
}

// TestResumeGivesUp covers failures after which nobody goes on.
func TestResumeGivesUp(t *testing.T) {
	r := newResuming(t)
	c := r.connect()
	src := &enginetest.Source{Content: randomBytes(30 << 20), Mtime: day, FailAt: 29 << 20, FailWith: snapshot.ErrChanged}
	if err := c.Send(t.Context(), "d/large", src); !errors.Is(err, snapshot.ErrChanged) {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(r.dir, "d")); len(left) != 0 || r.noted.len() != 0 {
		t.Errorf("%v and %d memories are left behind", left, r.noted.len())
	}

	// Cancelled: it goes on later, unless nobody wants it any more.
	ctx, cancel := context.WithCancel(t.Context())
	src.FailWith = nil
	reads := 0
	src.OnRead = func() {
		if reads++; reads == 50 {
			cancel()
		}
	}
	if err := c.Send(ctx, "d/large", src); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if r.noted.len() != 1 {
		t.Error("a cancelled upload is not remembered")
	}
	if err := c.Cleanup(t.Context(), "d/large"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(r.dir, "d")); len(left) != 0 || r.noted.len() != 0 {
		t.Errorf("after Cleanup %v and %d memories are left behind", left, r.noted.len())
	}
}
