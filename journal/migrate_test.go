package journal

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// older makes a journal of what the program before a migration wrote.
func older(t *testing.T, name string) (path string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("testdata", "before", name))
	must(t, err)
	path = filepath.Join(t.TempDir(), "journal.db")
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	must(t, err)
	must(t, sqlitex.ExecuteScript(c, string(script), nil))
	must(t, c.Close())
	return path
}

// A journal from before the state was documents keeps everything: what is remembered, what is pending, held and claimed.
func TestMigrateState(t *testing.T) {
	path := older(t, "0003.sql")
	_, err := OpenReadOnly(path)
	wantError(t, err, ErrOlder)
	j := mustOpen(t, path)
	defer j.Close()
	mustBeSound(t, j)
	want := State{
		EngineState: EngineState{
			Adopted: true, Identity: `{"fs":1,"ino":"<2>"}`, Mounts: Mounts{"disk": 42, "m\xff/x": 1<<63 + 5},
			Caps: `{"Copy":true}`, Places: `[{"Path":"/r","There":true}]`, EmptyDirs: true, Unflushed: "boot-1",
			Holds: Holds{
				HeldDigest: "h1", HeldWhy: "the plan deletes 1 of 2 files", HeldBase: 2, MountsHeld: 3, MountsWhy: `"disk": gone`,
			},
			LastRun: noon.Add(3 * time.Hour), LastSuccess: noon.Add(2 * time.Hour),
			LastError: "cannot \"reach\" \uFFFD", LastErrorClass: "offline", Ended: noon.Add(4 * time.Hour),
		},
		CommandState: CommandState{Options: `{"filter":["- *.o"]}`},
		ProcessState: ProcessState{Started: noon.Add(5), PID: 42},
		Decisions:    Decisions{Paused: true, ApprovedDigest: "h1", NewSourceApproved: true, NewRemoteApproved: true},
	}
	got, err := j.State()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	steps, err := j.Pending(0, 10)
	must(t, err)
	if len(steps) != 2 || steps[0].Path != "d" || !steps[1].Held {
		t.Errorf("pending %+v", steps)
	}
	if started, err := j.Started(); err != nil || len(started) != 1 || started[0].Path != "d" {
		t.Errorf("started %+v, %v", started, err)
	}
	if rows, err := j.Failures(10); err != nil || len(rows) != 1 || rows[0].Class != "permission" {
		t.Errorf("failures %+v, %v", rows, err)
	}
	if n := len(tree(t, j)); n != 3 {
		t.Errorf("base of %d rows", n)
	}
}

// What was never set is left out, and what a process that stays was doing stays its own.
func TestMigrateEmptyState(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      State
	}{
		{"new", "DELETE FROM state; DELETE FROM mount; INSERT INTO state (id) VALUES (1)", State{}},
		{
			"scanning", "DELETE FROM state; DELETE FROM mount; INSERT INTO state (id, phase, phase_since, pid) VALUES (1, 'scanning', 1700000000000000123, 7)",
			State{ProcessState: ProcessState{PID: 7, Phase: "scanning", PhaseSince: noon}},
		},
		{"no row", "DELETE FROM state; DELETE FROM mount", State{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := older(t, "0003.sql")
			spoil(t, path, c.sql)
			j := mustOpen(t, path)
			defer j.Close()
			mustBeSound(t, j)
			got, err := j.State()
			must(t, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
