package generic

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// dead is a remote whose server has died: who asks is refused, at once or, like everything that
// queues behind rclone's pacer, after so long, whatever becomes of the context.
type dead struct {
	fs.Fs
	after time.Duration
	asked *int
}

func (d dead) Put(context.Context, io.Reader, fs.ObjectInfo, ...fs.OpenOption) (fs.Object, error) {
	time.Sleep(d.after)
	return nil, syscall.ECONNREFUSED
}

func (d dead) NewObject(context.Context, string) (fs.Object, error) {
	*d.asked++
	time.Sleep(d.after)
	return nil, syscall.ECONNREFUSED
}

// TestOutage sends to a remote that is gone: neither its pacer nor the removal of what the upload may
// have left is waited for.
func TestOutage(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "slow": time.Minute} {
		t.Run(name, func(t *testing.T) {
			g := genericIn(t, t.TempDir(), rclone.Options{}, nil)
			synctest.Test(t, func(t *testing.T) {
				asked, probed := 0, 0
				c := &Connection{cfg: g.cfg, target: target{log: g.log, caps: g.caps, partial: true}, caller: caller{rctx: g.rctx}}
				c.f, c.probe = dead{g.f, after, &asked}, dead{g.f, 0, &probed}
				began := time.Now()
				err := c.Send(t.Context(), "f", enginetest.Text("x", began))
				if !errors.Is(err, remote.ErrOffline) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > firstDoubt+noticeTime {
					t.Errorf("it took %v", took)
				}
				if c.calls.Wait(); asked > 0 {
					t.Error("the upload was looked for")
				}
			})
		})
	}
}
