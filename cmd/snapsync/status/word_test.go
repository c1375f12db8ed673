package status

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

func TestStateWord(t *testing.T) {
	done := time.Now()
	ended := journal.EngineState{LastSuccess: done, Ended: done}
	stays, scans := journal.ProcessState{PID: 7}, journal.ProcessState{PID: 7, Phase: "scanning", PhaseSince: done.Add(1)}
	scanned := journal.ProcessState{PID: 7, Phase: "scanning", PhaseSince: done.Add(-1)}
	paused := journal.Decisions{Paused: true}
	for _, tt := range []struct {
		name    string
		state   journal.State
		counts  journal.Counts
		running bool
		want    string
	}{
		{"never ran", journal.State{}, journal.Counts{}, false, "stopped"},
		{"all done", journal.State{EngineState: ended}, journal.Counts{}, false, "idle"},
		{"interrupted", journal.State{EngineState: ended}, journal.Counts{Pending: 1}, false, "stopped"},
		{"run --once", journal.State{}, journal.Counts{}, true, "scanning"},
		{"run --once transfers", journal.State{}, journal.Counts{Pending: 1}, true, "syncing"},
		{"stays", journal.State{EngineState: ended, ProcessState: stays}, journal.Counts{}, true, "idle"},
		{"stays and scans", journal.State{EngineState: ended, ProcessState: scans}, journal.Counts{}, true, "scanning"},
		{"stays and has scanned", journal.State{EngineState: ended, ProcessState: scanned}, journal.Counts{}, true, "idle"},
		{"stays and sends", journal.State{EngineState: ended, ProcessState: stays}, journal.Counts{Pending: 2, Failed: 1}, true, "syncing"},
		{"stays paused", journal.State{ProcessState: stays, Decisions: paused}, journal.Counts{Pending: 2}, true, "paused"},
		{"stays offline", journal.State{EngineState: journal.EngineState{LastErrorClass: "offline"}, ProcessState: stays}, journal.Counts{Pending: 2}, true, "offline"},
		{"the remote answered uselessly", journal.State{EngineState: journal.EngineState{LastErrorClass: "temporary"}}, journal.Counts{Pending: 2}, false, "offline"},
		{"the remote is full", journal.State{EngineState: journal.EngineState{LastErrorClass: "quota"}}, journal.Counts{Pending: 2}, false, "stopped"},
		{"source gone", journal.State{EngineState: journal.EngineState{LastErrorClass: "source"}}, journal.Counts{}, false, "held"},
		{"stays held", journal.State{ProcessState: stays}, journal.Counts{Held: 2}, true, "held"},
		{"mount gone", journal.State{EngineState: journal.EngineState{LastSuccess: done, Holds: journal.Holds{MountsHeld: 3}}}, journal.Counts{}, false, "held"},
		{"another process", journal.State{ProcessState: journal.ProcessState{PID: 8}, Decisions: paused}, journal.Counts{}, true, "scanning"},
	} {
		if got, _ := wordFor(&facts{State: &tt.state, Counts: tt.counts, Running: tt.running, Holder: mapping.Holder{PID: 7}}); string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
