package main

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// One that only writes down what a person decided is waited for; any other has the mapping.
func TestLockIsWaitedFor(t *testing.T) {
	for _, held := range []holder{{brief: true}, {}, {socket: "/run/socket"}} {
		dir := t.TempDir()
		l, err := takeLock(t.Context(), dir, held)
		if err != nil {
			t.Fatal(err)
		}
		if h, taken := lockHolder(dir); !taken || h.brief != held.brief || h.socket != held.socket || h.pid == 0 {
			t.Errorf("%+v is read as %+v, taken: %v", held, h, taken)
		}
		timer := time.AfterFunc(2*lockPatience, l.release)
		next, err := takeLock(t.Context(), dir, holder{})
		timer.Stop()
		switch {
		case held.brief && err != nil:
			t.Errorf("not waited for: %v", err)
		case held.brief:
			next.release()
		case err == nil || exit.Of(err).Status != exit.StatusLocked:
			t.Errorf("%+v does not have it: %v", held, err)
		}
		l.release()
	}
}
