//go:build unix

package snapshot

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/zeebo/xxh3"
)

func (r *rig) content(path string) *Content {
	r.t.Helper()
	c, err := NewContent(r.cfg, path)
	r.must(err)
	return c
}

func (r *rig) stream(c *Content) io.ReadCloser {
	r.t.Helper()
	s, err := c.Open()
	r.must(err)
	r.t.Cleanup(func() { s.Close() })
	return s
}

func TestContentReads(t *testing.T) {
	r := newRig(t, openDirectory)
	for _, size := range []int{0, 1, 1000, 1 << 20} {
		want := strings.Repeat("0123456789", size/10+1)[:size]
		r.write("d/f=" + want)
		c := r.content("d/f")
		var told int
		c.OnRead = func(n int) { told += n }
		for range 2 { // a retry reads from the start
			told = 0
			if _, whole := c.Result(); told > 0 && whole {
				t.Error("result before the end")
			}
			s := r.stream(c)
			if err := iotest.TestReader(onlyReader{s}, []byte(want)); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
			if told != size {
				t.Errorf("size %d: told of %d bytes", size, told)
			}
		}
		e, whole := c.Result()
		if sum := xxh3.HashString128(want).Bytes(); !whole || e.HashType != XXH3 || e.Hash != Hash(sum) {
			t.Errorf("size %d: result %+v, %v; want hash %x", size, e, whole, sum)
		}
		e.HashType, e.Hash = NoHash, Hash{}
		if e != c.Entry() || e.Flags != 0 {
			t.Errorf("size %d: result %+v, entry %+v", size, e, c.Entry())
		}
	}
}

type onlyReader struct{ io.Reader }

func TestHashIsBigEndian(t *testing.T) {
	// From the reference implementation: xxh128sum of nothing.
	r := newRig(t, openDirectory)
	r.write("empty=")
	e, _, err := HashFile(t.Context(), r.cfg, "empty")
	if want := "99aa06d3014798d86001c324468d497f"; err != nil || e.Hash.String() != want {
		t.Errorf("hash of nothing is %v, want %s (%v)", e.Hash, want, err)
	}
}

func TestContentRacy(t *testing.T) {
	r := newRig(t, openDirectory)
	r.cfg.Now = nil
	r.write("f")
	c := r.content("f")
	if _, err := io.ReadAll(r.stream(c)); err != nil {
		t.Fatal(err)
	}
	if e, _ := c.Result(); e.Flags != Racy {
		t.Errorf("a file read just after it was written is not racy: %+v", e)
	}
}

// TestContentChanges: whatever happens to a file while it is read, its last byte is not handed out.
func TestContentChanges(t *testing.T) {
	old := time.Unix(1, 0)
	for name, edit := range map[string]func(r *rig){
		"written to":            func(r *rig) { r.write("d/f=abcdEFgh") },
		"written to, old mtime": func(r *rig) { r.write("d/f=abcdEFgh"); r.must(os.Chtimes(r.at("d/f"), old, old)) },
		"shortened":             func(r *rig) { r.must(os.Truncate(r.at("d/f"), 5)) },
		"emptied":               func(r *rig) { r.must(os.Truncate(r.at("d/f"), 0)) },
		"longer":                func(r *rig) { r.write("d/f=abcdefghi") },
		"removed":               func(r *rig) { r.remove("d/f") },
		"replaced":              func(r *rig) { r.write("d/g=abcdefgh"); r.rename("d/g", "d/f") },
		"a directory":           func(r *rig) { r.remove("d/f"); r.write("d/f/") },
		"behind a link":         func(r *rig) { r.rename("d", "e"); r.link("e", "d") },
	} {
		t.Run(name, func(t *testing.T) {
			for _, when := range []string{"before", "between"} {
				r := newRig(t, openDirectory)
				r.write("d/f=abcdefgh")
				r.must(os.Chtimes(r.at("d/f"), old, old))
				c := r.content("d/f")
				if when == "before" {
					edit(r)
				}
				s, err := c.Open()
				if when == "before" {
					if !errors.Is(err, ErrChanged) {
						t.Errorf("open after the file was %s: %v", name, err)
					}
					continue
				}
				defer s.Close()
				head := make([]byte, 3)
				if _, err := io.ReadFull(s, head); err != nil || string(head) != "abc" {
					t.Fatalf("first bytes %q, %v", head, err)
				}
				edit(r)
				rest, err := io.ReadAll(s)
				if !errors.Is(err, ErrChanged) || len(rest) >= 5 {
					t.Errorf("read %q more, %v", rest, err)
				}
				if e, whole := c.Result(); whole {
					t.Errorf("there is a result: %+v", e)
				}
				if n, again := s.Read(head); n != 0 || !errors.Is(again, ErrChanged) {
					t.Errorf("the error does not stay: %d, %v", n, again)
				}
			}
		})
	}
}

// TestContentGrows reads a large file that is written to: the reader learns that early, and need not send the rest for nothing.
func TestContentGrows(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("f=" + strings.Repeat("x", 8*lookEvery))
	s := r.stream(r.content("f"))
	_, err := io.CopyN(io.Discard, s, 1000)
	r.must(err)
	f, err := os.OpenFile(r.at("f"), os.O_APPEND|os.O_WRONLY, 0)
	r.must(err)
	_, err = f.WriteString("more")
	r.must(errors.Join(err, f.Close()))
	if n, err := io.Copy(io.Discard, s); !errors.Is(err, ErrChanged) || n > 2*lookEvery {
		t.Errorf("%d more bytes were read until %v", n, err)
	}
}

func TestContentChangedWhileEmpty(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("f=")
	s := r.stream(r.content("f"))
	r.write("f=x")
	if got, err := io.ReadAll(s); !errors.Is(err, ErrChanged) || len(got) > 0 {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestContentOfWhatIsNoFile(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("dir/", "f")
	r.must(syscall.Mkfifo(r.at("fifo"), 0o644))
	r.link("f", "link")
	for path, want := range map[string]error{
		"dir": ErrChanged, "fifo": ErrChanged, "link": ErrChanged,
		"gone": fs.ErrNotExist, "f/x": fs.ErrNotExist, "dir/gone/x": fs.ErrNotExist,
	} {
		if _, err := NewContent(r.cfg, path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	// The engine tells the one from the other.
	if _, err := NewContent(r.cfg, "gone"); errors.Is(err, ErrChanged) {
		t.Errorf("gone before it was opened: %v", err)
	}
}

func TestStat(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("dir/f")
	r.link("dir", "link")
	r.must(syscall.Mkfifo(r.at("fifo"), 0o644))
	for path, e := range applied(nil, r.scan().Changes) {
		if got, err := Stat(r.cfg, path); err != nil || *got != e {
			t.Errorf("stat %s: %+v, %v; the scan says %+v", path, got, err, e)
		}
	}
	for _, path := range []string{"gone", "dir/f/x", "link", "fifo", "link/f"} {
		if got, err := Stat(r.cfg, path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %s: %+v, %v", path, got, err)
		}
	}
	r.cfg.Links = KeepLinks
	if got, err := Stat(r.cfg, "link"); err != nil || got.Kind != Symlink {
		t.Errorf("stat of a kept link: %+v, %v", got, err)
	}
}

func TestContentFifoInPlace(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("f")
	c := r.content("f")
	r.remove("f")
	r.must(syscall.Mkfifo(r.at("f"), 0o644))
	if _, err := c.Open(); !errors.Is(err, ErrChanged) { // and does not hang
		t.Errorf("open: %v", err)
	}
}

func TestContentOfLink(t *testing.T) {
	r := newRig(t, openDirectory)
	r.cfg.Links = KeepLinks
	r.link("the/target", "link")
	c := r.content("link")
	got, err := io.ReadAll(r.stream(c))
	if e, whole := c.Result(); err != nil || string(got) != "the/target" || !whole || e.Kind != Symlink || e.Size != 10 {
		t.Errorf("read %q, %v, %+v", got, err, e)
	}
	s := r.stream(c)
	r.remove("link")
	r.link("the/other!", "link")
	if got, err := io.ReadAll(s); !errors.Is(err, ErrChanged) {
		t.Errorf("read %q, %v", got, err)
	}
	r.cfg.Links = FollowLinks
	r.write("the/other!=content")
	got, err = io.ReadAll(r.stream(r.content("link")))
	if err != nil || string(got) != "content" {
		t.Errorf("followed: %q, %v", got, err)
	}
}

func TestHashFile(t *testing.T) {
	r := newRig(t, openDirectory)
	content := strings.Repeat("x", 3*hashBuffer+1)
	r.write("f=" + content)
	md5Type, _ := ParseHashType("md5")
	sha256Type, _ := ParseHashType("sha256")
	e, hashes, err := HashFile(t.Context(), r.cfg, "f", md5Type, sha256Type, XXH3)
	r.must(err)
	sum, long := md5.Sum([]byte(content)), sha256.Sum256([]byte(content))
	if hashes[md5Type] != sum || !bytes.Equal(long[:16], sliceOf(hashes[sha256Type])) || hashes[XXH3] != e.Hash {
		t.Errorf("hashes are %v", hashes)
	}
	crc, _ := ParseHashType("crc32")
	if _, _, err := HashFile(t.Context(), r.cfg, "f", crc); err == nil || !strings.Contains(err.Error(), "crc32") {
		t.Errorf("an algorithm that is not there: %v", err)
	}
	r.cfg.NewHash = func(HashType) hash.Hash { return md5.New() }
	if _, hashes, err = HashFile(t.Context(), r.cfg, "f", crc); err != nil || hashes[crc] != sum {
		t.Errorf("with another NewHash: %v, %v", hashes, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := HashFile(ctx, r.cfg, "f"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func sliceOf(h Hash) []byte { return h[:] }

// BenchmarkContent reads a file as an upload does, in turn with a plain os.File: "reads" is how many
// plain readings one of ours takes.
func BenchmarkContent(b *testing.B) {
	root := b.TempDir()
	const size = 256 << 20
	if err := os.WriteFile(root+"/f", make([]byte, size), 0o644); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	drain := func(r io.ReadCloser, err error) time.Duration {
		start := time.Now()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.CopyBuffer(onlyWriter{}, onlyReader{r}, buf); n != size || err != nil {
			b.Fatal(n, err)
		}
		r.Close()
		return time.Since(start)
	}
	b.SetBytes(size)
	var ours, plain time.Duration
	for b.Loop() {
		c, err := NewContent(Config{Root: root}, "f")
		if err != nil {
			b.Fatal(err)
		}
		ours += drain(c.Open())
		b.StopTimer()
		plain += drain(os.Open(root + "/f"))
		b.StartTimer()
	}
	b.ReportMetric(ours.Seconds()/plain.Seconds(), "reads")
}

type onlyWriter struct{}

func (onlyWriter) Write(p []byte) (int, error) { return len(p), nil }
