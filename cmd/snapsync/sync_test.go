package main

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
)

func TestAwaited(t *testing.T) {
	live := func(cycles int64) *control.Live { return &control.Live{Cycles: cycles} }
	for _, c := range []struct {
		name   string
		status control.Status
		done   bool
		exit   int
	}{
		{"under way", control.Status{State: "idle", Live: live(2)}, false, statusOK},
		{"ended", control.Status{State: "idle", Live: live(3)}, true, statusOK},
		{"ended, and the next one runs", control.Status{State: "scanning", Live: live(3)}, false, statusOK},
		{"paused", control.Status{State: "paused", Paused: true, Live: live(2)}, true, statusTemporary},
		{"just resumed", control.Status{State: "paused", Live: live(3)}, false, statusOK},
		{"failed", control.Status{State: "idle", Failed: 1, Live: live(3)}, true, statusPartial},
		{"held", control.Status{State: "held", Held: 2, Live: live(3)}, true, statusHeld},
		{"offline", control.Status{State: "offline", Live: live(3)}, true, statusOffline},
	} {
		done, err := awaited(&c.status, 3)
		if done != c.done || err != nil && classify(err).status != c.exit || err == nil && c.exit != statusOK {
			t.Errorf("%s: done %v, %v", c.name, done, err)
		}
	}
}
