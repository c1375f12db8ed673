package mapping

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// One that only writes down what a person decided is waited for; any other has the mapping.
func TestLockIsWaitedFor(t *testing.T) {
	for _, held := range []Holder{{Transient: true}, {}, {Socket: "/run/socket"}} {
		dir := t.TempDir()
		l, err := takeLock(t.Context(), dir, held)
		if err != nil {
			t.Fatal(err)
		}
		if h, taken := HolderOf(dir); !taken || h.Transient != held.Transient || h.Socket != held.Socket || h.PID == 0 {
			t.Errorf("%+v is read as %+v, taken: %v", held, h, taken)
		}
		timer := time.AfterFunc(2*lockTimeout, l.release)
		next, err := takeLock(t.Context(), dir, Holder{})
		timer.Stop()
		switch {
		case held.Transient && err != nil:
			t.Errorf("not waited for: %v", err)
		case held.Transient:
			next.release()
		case err == nil || exit.Of(err).Status != exit.StatusLocked:
			t.Errorf("%+v does not have it: %v", held, err)
		}
		l.release()
	}
}
