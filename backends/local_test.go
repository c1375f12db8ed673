package backends

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestFlushMissingRoot(t *testing.T) {
	l, err := openLocal(filepath.Join(t.TempDir(), "not", "there"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// onFirstRead calls fn when its reader is first read from.
type onFirstRead struct {
	io.Reader
	fn func()
}

func (r *onFirstRead) Read(p []byte) (int, error) {
	if r.fn != nil {
		r.fn()
		r.fn = nil
	}
	return r.Reader.Read(p)
}

// TestReserveKeepsSize holds rclone to what writeFile relies on: a file is never larger than what was
// written to it, however much space is reserved.
func TestReserveKeepsSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	content := make([]byte, 2*preallocateFrom)
	looked := false
	in := &onFirstRead{bytes.NewReader(content), func() {
		looked = true
		if info, err := os.Stat(name); err != nil || info.Size() != 0 {
			t.Errorf("before the first byte is written the size is %d, %v", info.Size(), err)
		}
	}}
	if err := writeFile(t.Context(), name, in, int64(len(content))); err != nil || !looked {
		t.Fatal(err, looked)
	}
}
