package main

import (
	"errors"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

// statusOf is how a mapping stands by what is on disk.
func (a *app) statusOf(m *mapping.Mapping) (*control.Status, error) {
	if m.Err != nil {
		return nil, m.Err
	}
	s, err := m.Read()
	if err != nil {
		return nil, err
	}
	st, err := statusIn(s)
	return &st, errors.Join(err, s.Close())
}

// status is how the mapping stands by what its journal knows.
func statusIn(s *mapping.Session) (st control.Status, err error) {
	state, err := s.Journal.State()
	if err != nil {
		return st, err
	}
	totals, err := s.Journal.Totals()
	if err != nil {
		return st, err
	}
	counts, err := s.Journal.Counts()
	if err != nil {
		return st, err
	}
	failures, err := s.Journal.Failures(text.MaxShown)
	if err != nil {
		return st, err
	}
	_, since := state.Doing()
	st = control.Status{
		Mapping: s.Label(), ID: s.ID, Source: s.Source, Remote: s.Display,
		Files: totals.Files, Bytes: totals.Bytes, Retained: totals.Retained, RetainedBytes: totals.RetainedBytes,
		Pending: counts.Pending, Held: counts.Held + state.MountsHeld, HeldByMounts: state.MountsHeld, Failed: counts.Failed,
		LastSuccess: text.UTC(state.LastSuccess), OldestUnsynced: text.UTC(counts.Oldest), LagSeconds: lag(text.UTC(counts.Oldest), time.Now()),
		Since: text.UTC(since), LastRun: text.UTC(state.LastRun),
		LastError: state.LastError, ErrorClass: state.LastErrorClass, Paused: state.Paused,
	}
	hold(&st, s.Mapping, &state, counts)
	for i := range failures {
		f := &failures[i]
		st.Failures = append(st.Failures, control.Failure{
			Path: f.Path, PathBytes: text.RawName(f.Path), Class: f.Class, Message: f.Message, Tries: f.Tries, Last: f.Last.UTC(),
		})
	}
	if st.Uploads, err = uploadsIn(s); err != nil {
		return st, err
	}
	h, running := mapping.HolderOf(s.Dir)
	if running {
		st.PID = h.PID
	}
	st.State = stateWord(&state, counts, running, h.PID)
	st.Why = whyOnDisk(st.State, running, h)
	if st.State == "held" && counts.Held == 0 && !running {
		st.Why = "what is not mounted is kept on the remote; everything else is done"
	}
	return st, nil
}

// uploads are the first of those that can be continued.
func uploadsIn(s *mapping.Session) (shown []control.Upload, err error) {
	all, err := s.Journal.Uploads()
	for i := range all[:min(len(all), text.MaxShown)] {
		u := &all[i]
		shown = append(shown, control.Upload{
			Path: u.Path, PathBytes: text.RawName(u.Path), Size: u.Source.Size, Confirmed: u.Confirmed,
			Began: u.Began.UTC(), Last: u.Last.UTC(),
		})
	}
	return shown, err
}

// hold says what waits for a person, and the command lines that let it through.
func hold(st *control.Status, m *mapping.Mapping, s *journal.State, c journal.Counts) {
	var whys, ways []string
	if c.Held > 0 {
		whys, ways = append(whys, s.HeldWhy), append(ways, m.Approval(""))
		st.HeldDigest = s.HeldDigest
	}
	if s.MountsHeld > 0 {
		whys, ways = append(whys, s.MountsWhy), append(ways, m.Approval("--new-source"))
	}
	if s.LastErrorClass == "source" {
		ways = append(ways, m.Approval("--new-source"))
	}
	st.HeldWhy, st.Approve = strings.Join(whys, "; "), strings.Join(ways, "; ")
}

// stateWord is the one word for how a mapping stands. A process that stays writes its number and what it
// is doing into the state; of any other it is only known that it runs.
func stateWord(s *journal.State, c journal.Counts, running bool, pid int) string {
	stays := running && pid != 0 && s.PID == pid
	doing, _ := s.Doing()
	switch {
	case running && !stays && c.Pending > 0:
		return "syncing"
	case running && !stays:
		return "scanning"
	case s.Paused:
		return "paused"
	case c.Held > 0, s.MountsHeld > 0:
		return "held"
	case s.LastErrorClass == "offline":
		return "offline"
	case stays && (doing == "scanning" || doing == "syncing"):
		return doing
	case stays && c.Pending > c.Failed:
		return "syncing"
	case c.Pending > 0, c.Failed > 0, s.LastError != "", s.LastSuccess.IsZero():
		return "stopped"
	}
	return "idle"
}

// whyOnDisk says what would change the state of a mapping that nobody can be asked about.
func whyOnDisk(state string, running bool, h mapping.Holder) string {
	switch {
	case running && state == "paused":
		return "'snapsync resume' goes on"
	case running && (state == "syncing" || state == "scanning"):
		return "by process " + h.String()
	case running:
		return "kept up to date by process " + h.String()
	case state == "paused":
		return "runs do nothing until 'snapsync resume'"
	case state == "offline":
		return "the remote could not be reached; the next run tries again"
	case state == "stopped":
		return "the next run continues"
	case state == "held":
		return "a person must approve what is held; everything else is done"
	}
	return "nothing is running; the next run looks for changes"
}
