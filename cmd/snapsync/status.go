package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/snapsync/snapsync/journal"
)

type statusCmd struct {
	Src string `arg:"" optional:"" help:"Only the mappings of this source."`
	selection
}

// Help is the long text of `status --help`.
func (*statusCmd) Help() string {
	return `Without a source or a remote, all mappings of the state directory are shown. The remote is not asked.

States: idle (all is synced), scanning, syncing, offline (the remote could not be reached), held (a person
must approve deletes), paused, stopped (something is pending and nothing is running).

Examples:

    snapsync status
    snapsync status ~/work
    snapsync status --json | jq .oldest_unsynced`
}

// Run implements the command.
func (c *statusCmd) Run(a *app) error {
	found, err := a.candidates(&c.selection, c.Src)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return c.none(a)
	}
	var broken error
	for i, m := range found {
		if i > 0 && !a.JSON {
			fmt.Fprintln(a.stdout)
		}
		st, err := a.statusOf(m)
		if err != nil {
			broken = errors.Join(broken, err) // the others stand as they do
			err = a.writeBroken(m, err)
		} else if a.JSON {
			err = writeJSON(a.stdout, st)
		} else {
			err = st.write(a.stdout, time.Now())
		}
		if err != nil {
			return err
		}
	}
	return broken
}

// brokenStatus is the object of a mapping whose state cannot be read.
type brokenStatus struct {
	Mapping string `json:"mapping"`
	State   string `json:"state"`
	Error   string `json:"error"`
}

func (a *app) writeBroken(m *mapping, err error) error {
	if a.JSON {
		return writeJSON(a.stdout, brokenStatus{m.name, "stopped", err.Error()})
	}
	_, werr := fmt.Fprintf(a.stdout, "%s\n  %-13s stopped: its state cannot be read\n  %-13s %v\n", m, "state", "error", err)
	return werr
}

func (c *statusCmd) none(a *app) error {
	if c.Src+c.Source+c.Remote != "" {
		return &failure{status: statusError, err: errNoMapping(&c.selection, c.Src), hint: "'snapsync status' lists those that exist"}
	}
	if a.JSON {
		return nil
	}
	_, err := fmt.Fprintln(a.stdout, "no mappings yet: 'snapsync run --once SRC --remote REMOTE' makes one")
	return err
}

// status is how a mapping stands. The first fields are the contract of `status --json`.
type status struct {
	Mapping        string  `json:"mapping"`
	Source         string  `json:"source"`
	Remote         string  `json:"remote"`
	State          string  `json:"state"`
	Files          int64   `json:"files"`
	Bytes          int64   `json:"bytes"`
	Pending        int64   `json:"pending"`
	Held           int64   `json:"held"`
	Failed         int64   `json:"failed"`
	LastSuccess    *string `json:"last_success"`
	OldestUnsynced *string `json:"oldest_unsynced"`

	Since         *string `json:"since"`
	LastRun       *string `json:"last_run"`
	LastError     string  `json:"last_error,omitempty"`
	HeldWhy       string  `json:"held_why,omitempty"`
	Paused        bool    `json:"paused"`
	Retained      int64   `json:"retained"`
	RetainedBytes int64   `json:"retained_bytes"`
	PID           int     `json:"pid,omitempty"`

	state    journal.State
	oldest   time.Time
	failures []journal.FailureRow
	holder   holder
	approval string // the command line that lets through what is held
}

func (a *app) statusOf(m *mapping) (*status, error) {
	if m.err != nil {
		return nil, m.err
	}
	s, err := a.read(m)
	if err != nil {
		return nil, err
	}
	st, err := s.status()
	return st, errors.Join(err, s.close())
}

func (s *session) status() (*status, error) {
	state, err := s.journal.State()
	if err != nil {
		return nil, err
	}
	totals, err := s.journal.Totals()
	if err != nil {
		return nil, err
	}
	counts, err := s.journal.Counts()
	if err != nil {
		return nil, err
	}
	failures, err := s.journal.Failures(maxShown)
	if err != nil {
		return nil, err
	}
	st := &status{
		Mapping: s.name, Source: s.source, Remote: s.display,
		Files: totals.Files, Bytes: totals.Bytes, Retained: totals.Retained, RetainedBytes: totals.RetainedBytes,
		Pending: counts.Pending, Held: counts.Held, Failed: counts.Failed,
		LastSuccess: jsonTime(state.LastSuccess), OldestUnsynced: jsonTime(counts.Oldest),
		Since: jsonTime(state.PhaseSince), LastRun: jsonTime(state.LastRun),
		LastError: state.LastError, HeldWhy: state.HeldWhy, Paused: state.Paused,
		state: state, oldest: counts.Oldest, failures: failures, approval: s.approval(""),
	}
	running := false
	st.holder, running = lockHolder(s.dir)
	if running {
		st.PID = st.holder.pid
	}
	st.State = stateWord(&state, counts, running)
	return st, nil
}

// stateWord is the one word for how a mapping stands.
func stateWord(s *journal.State, c journal.Counts, running bool) string {
	switch {
	case running && c.Pending > 0:
		return "syncing"
	case running:
		return "scanning"
	case s.Paused:
		return "paused"
	case c.Held > 0:
		return "held"
	case s.LastErrorClass == "offline":
		return "offline"
	case c.Pending > 0, c.Failed > 0, s.LastError != "", s.LastSuccess.IsZero():
		return "stopped"
	}
	return "idle"
}

// write prints a block for people.
func (st *status) write(w io.Writer, now time.Time) error {
	fmt.Fprintf(w, "%s → %s\n", show(st.Source), st.Remote)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("state", "%s", st.stateText(now))
	row("mirrored", "%s, %s", counted(st.Files, "file"), size(st.Bytes))
	if st.Retained > 0 {
		row("retained", "%s, %s: deleted here, kept there", counted(st.Retained, "file"), size(st.RetainedBytes))
	}
	if st.Pending > 0 {
		row("pending", "%s, the oldest since %s", counted(st.Pending, "step"), ago(st.oldest, now))
	}
	if st.Held > 0 {
		row("held", "%s: %s", counted(st.Held, "step"), st.HeldWhy)
		row("", "this shows them and lets them through: %s", st.approval)
	}
	if st.Failed > 0 {
		row("failed", "%s", counted(st.Failed, "path"))
		for _, f := range st.failures {
			row("", "%s: %s (%s, last %s)", show(f.Path), f.Message, counted(int64(f.Tries), "attempt"), ago(f.Last, now))
		}
		if more := st.Failed - int64(len(st.failures)); more > 0 {
			row("", "… and %s more", count(more))
		}
	}
	if st.LastError != "" {
		row("last error", "%s", st.LastError)
	}
	row("last success", "%s", ago(st.state.LastSuccess, now))
	return nil
}

func (st *status) stateText(now time.Time) string {
	since := ""
	if !st.state.PhaseSince.IsZero() {
		since = ", since " + ago(st.state.PhaseSince, now)
	}
	switch st.State {
	case "scanning", "syncing":
		return fmt.Sprintf("%s, by process %d since %s", st.State, st.holder.pid, ago(st.holder.since, now))
	case "paused":
		return "paused: runs do nothing until 'snapsync resume'"
	case "offline":
		return "offline" + since + ": the remote could not be reached; the next run tries again"
	case "stopped":
		return "stopped: the next run continues"
	}
	return st.State + since
}
