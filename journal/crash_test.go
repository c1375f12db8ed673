package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// crashPath makes the test binary a process that writes a journal until it is killed.
const crashPath = "SNAPSYNC_TEST_CRASH_JOURNAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := writeUntilKilled(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	crashSteps = 400
	crashGroup = 16
)

// writeUntilKilled runs cycle after cycle, each of which moves a directory and sends files into it,
// and prints the number of each step whose acknowledgement has returned.
func writeUntilKilled(path string, out io.Writer) error {
	j, err := Open(path, testMapping)
	if err != nil {
		return err
	}
	for round := int64(0); ; round++ {
		steps := crashPlan(j, round)
		cycle, err := j.Begin(Plan{Steps: steps}, nil, noon)
		if err != nil {
			return err
		}
		for ; len(steps) > 0; steps = steps[min(crashGroup, len(steps)):] {
			group := steps[:min(crashGroup, len(steps))]
			if err := ackGroup(j, group); err != nil {
				return err
			}
			for _, s := range group {
				fmt.Fprintln(out, s.Seq)
			}
		}
		if err := j.Finish(cycle, CycleResult{Outcome: OutcomeIdle}, nil, noon); err != nil {
			return err
		}
	}
}

// crashPlan moves the one directory there is and rewrites its files, with the round as their size.
func crashPlan(j *Journal, round int64) []Step {
	var steps []Step
	from, to := "d0", "d1"
	if e, _ := j.Lookup(from); e == nil {
		from, to = to, from
	}
	if e, _ := j.Lookup(from); e != nil {
		steps = append(steps, Step{Action: Move, Reason: Renamed, From: from, Path: to, Dir: true, Old: directory(), New: directory()})
	}
	for i := range crashSteps {
		steps = append(steps, send(fmt.Sprintf("%s/%d/%d", to, i%7, i), file(round)))
	}
	return steps
}

func ackGroup(j *Journal, group []Step) error {
	if err := j.Claim(group[len(group)-1].Seq); err != nil {
		return err
	}
	var done []Done
	for _, s := range group {
		done = append(done, Done{Step: s, Entry: s.New, At: noon})
	}
	return j.Ack(done)
}

// TestKilled kills a writing process at random moments, again and again on the same journal: it is
// always sound, and everything whose acknowledgement had returned is there.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	kills := 12
	if testing.Short() {
		kills = 3
	}
	acked := 0
	for n := range kills {
		acked += killAfter(t, path, 20+n*37)
		j := mustOpen(t, path)
		mustBeSound(t, j)
		rows, err := j.History(HistoryQuery{})
		must(t, err)
		// A crash may come after the commit and before the line: the history is the longer of the two.
		if len(rows) < acked {
			t.Errorf("%d steps were acknowledged, but the history has %d", acked, len(rows))
		}
		checkFolded(t, j, rows)
		must(t, j.Close())
	}
}

// killAfter starts a writer, waits for a number of acknowledgements and a moment, and kills it. It
// returns how many there were in all.
func killAfter(t *testing.T, path string, lines int) (acked int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	scanner := bufio.NewScanner(out)
	for ; scanner.Scan(); acked++ {
		if acked == lines {
			go func() {
				time.Sleep(time.Duration(lines%11) * time.Millisecond)
				cmd.Process.Kill()
			}()
		}
	}
	var killed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &killed) || killed.Success() || killed.ExitCode() == 1 {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return acked
}

// checkFolded compares the base with what the history says.
func checkFolded(t *testing.T, j *Journal, rows []HistoryRow) {
	t.Helper()
	m := &model{base: make(map[string]snapshot.Entry), temps: make(map[string]bool)}
	for _, r := range rows {
		d := &Done{Step: Step{Action: r.Action, How: r.How, Path: r.Path, From: r.From, Dir: r.Dir}, Entry: r.After}
		m.ack(d)
	}
	got := tree(t, j)
	for path, want := range m.base {
		if got[path] != want {
			t.Fatalf("%q: %+v, want %+v", path, got[path], want)
		}
		delete(got, path)
	}
	if len(got) > 0 {
		t.Fatalf("in the base but not in the history: %v", got)
	}
}
