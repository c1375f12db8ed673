package loop

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/remote"
)

// Everything that became due since it was asked whether there is sense in planning waits for the remote.
func TestEverythingWaitsForTheRemote(t *testing.T) {
	r := runner{Loop: &Loop{hints: hint.NewQueue(0, 0, 0)}, failure: remote.ErrOffline, started: true, at: timers{probe: time.Unix(2000, 0)}}
	r.hints.All(time.Unix(1000, 0))
	if err := r.work(t.Context(), time.Unix(1000, 0)); err != nil || !r.hints.Everything() {
		t.Errorf("got %v, everything: %v", err, r.hints.Everything())
	}
}
