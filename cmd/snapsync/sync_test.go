package main

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

func TestAwaited(t *testing.T) {
	live := func(cycles int64) *status.Live { return &status.Live{Cycles: cycles} }
	for _, c := range []struct {
		name   string
		status status.Status
		done   bool
		exit   int
	}{
		{"under way", status.Status{State: "idle", Live: live(2)}, false, exit.StatusOK},
		{"ended", status.Status{State: "idle", Live: live(3)}, true, exit.StatusOK},
		{"ended, and the next one runs", status.Status{State: "scanning", Live: live(3)}, false, exit.StatusOK},
		{"paused", status.Status{State: "paused", Paused: true, Live: live(2)}, true, exit.StatusTemporary},
		{"just resumed", status.Status{State: "paused", Live: live(3)}, false, exit.StatusOK},
		{"failed", status.Status{State: "idle", Failed: 1, Live: live(3)}, true, exit.StatusPartial},
		{"held", status.Status{State: "held", Held: 2, Live: live(3)}, true, exit.StatusHeld},
		{"offline", status.Status{State: "offline", Live: live(3)}, true, exit.StatusOffline},
	} {
		done, err := awaited(&c.status, 3)
		if done != c.done || err != nil && exit.Of(err).Status != c.exit || err == nil && c.exit != exit.StatusOK {
			t.Errorf("%s: done %v, %v", c.name, done, err)
		}
	}
}
