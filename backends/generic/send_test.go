package generic

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// full is a remote without space. It notices after so many bytes.
type full struct {
	fs.Fs
	after int64
}

func (f full) Put(_ context.Context, in io.Reader, _ fs.ObjectInfo, _ ...fs.OpenOption) (fs.Object, error) {
	if _, err := io.CopyN(io.Discard, in, f.after); err != nil {
		return nil, err
	}
	return nil, syscall.ENOSPC
}

// TestSendExposed covers uploads straight to the final name that break off: where the remote may show
// a part, the error must not be of a class that promises the old content.
func TestSendExposed(t *testing.T) {
	const large = readAhead + 1000
	for name, tt := range map[string]struct {
		size    int
		partial bool
		after   int64 // bytes that the remote takes before it is full
		failAt  int   // bytes that the source gives before it changes
		class   error
		keeps   bool
	}{
		"large changed":      {large, false, large, large / 2, snapshot.ErrChanged, false},
		"large quota":        {large, false, 10, 0, remote.ErrQuota, false},
		"large quota unread": {large, false, 0, 0, remote.ErrQuota, true},
		"small changed":      {1000, false, 1000, 500, snapshot.ErrChanged, true},
		"small quota":        {1000, false, 10, 0, remote.ErrQuota, true},
		"hidden changed":     {large, true, large, large / 2, snapshot.ErrChanged, true},
		"hidden quota":       {large, true, 10, 0, remote.ErrQuota, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := genericIn(t, t.TempDir(), rclone.Options{}, nil)
			g.f, g.partial = full{g.f, tt.after}, tt.partial
			src := enginetest.Text(string(make([]byte, tt.size)), time.Now())
			if tt.failAt > 0 {
				src.FailAt, src.FailWith = tt.failAt, snapshot.ErrChanged
			}
			err := g.Send(t.Context(), "f", src)
			if err == nil || errors.Is(err, tt.class) != tt.keeps {
				t.Errorf("got %v; is it %v: want %v", err, tt.class, tt.keeps)
			}
		})
	}
}
