package status

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

func TestStateWord(t *testing.T) {
	done := time.Now()
	for _, tt := range []struct {
		name    string
		state   journal.State
		counts  journal.Counts
		running bool
		want    string
	}{
		{"never ran", journal.State{}, journal.Counts{}, false, "stopped"},
		{"all done", journal.State{LastSuccess: done}, journal.Counts{}, false, "idle"},
		{"interrupted", journal.State{LastSuccess: done}, journal.Counts{Pending: 1}, false, "stopped"},
		{"run --once", journal.State{}, journal.Counts{}, true, "scanning"},
		{"run --once transfers", journal.State{}, journal.Counts{Pending: 1}, true, "syncing"},
		{"stays", journal.State{PID: 7, LastSuccess: done, Phase: "idle"}, journal.Counts{}, true, "idle"},
		{"stays and scans", journal.State{PID: 7, LastSuccess: done, Phase: "scanning"}, journal.Counts{}, true, "scanning"},
		{"stays and sends", journal.State{PID: 7, LastSuccess: done, Phase: "idle"}, journal.Counts{Pending: 2, Failed: 1}, true, "syncing"},
		{"stays paused", journal.State{PID: 7, Paused: true}, journal.Counts{Pending: 2}, true, "paused"},
		{"stays offline", journal.State{PID: 7, LastErrorClass: "offline"}, journal.Counts{Pending: 2}, true, "offline"},
		{"stays held", journal.State{PID: 7}, journal.Counts{Held: 2}, true, "held"},
		{"mount gone", journal.State{LastSuccess: done, MountsHeld: 3}, journal.Counts{}, false, "held"},
		{"another process", journal.State{PID: 8, Paused: true}, journal.Counts{}, true, "scanning"},
	} {
		if got, _ := wordFor(&facts{State: &tt.state, Counts: tt.counts, Running: tt.running, Holder: mapping.Holder{PID: 7}}); string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
