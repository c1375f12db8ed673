package main

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

func TestAwaited(t *testing.T) {
	live := func(cycles int64) *control.Live { return &control.Live{Cycles: cycles} }
	for _, c := range []struct {
		name   string
		status control.Status
		done   bool
		exit   int
	}{
		{"under way", control.Status{State: "idle", Live: live(2)}, false, exit.StatusOK},
		{"ended", control.Status{State: "idle", Live: live(3)}, true, exit.StatusOK},
		{"ended, and the next one runs", control.Status{State: "scanning", Live: live(3)}, false, exit.StatusOK},
		{"paused", control.Status{State: "paused", Paused: true, Live: live(2)}, true, exit.StatusTemporary},
		{"just resumed", control.Status{State: "paused", Live: live(3)}, false, exit.StatusOK},
		{"failed", control.Status{State: "idle", Failed: 1, Live: live(3)}, true, exit.StatusPartial},
		{"held", control.Status{State: "held", Held: 2, Live: live(3)}, true, exit.StatusHeld},
		{"offline", control.Status{State: "offline", Live: live(3)}, true, exit.StatusOffline},
	} {
		done, err := awaited(&c.status, 3)
		if done != c.done || err != nil && exit.Of(err).Status != c.exit || err == nil && c.exit != exit.StatusOK {
			t.Errorf("%s: done %v, %v", c.name, done, err)
		}
	}
}
