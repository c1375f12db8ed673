package status

import (
	"errors"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

// Of returns how a mapping stands, by what is on disk. A state that cannot be read is an error.
func Of(m *mapping.Mapping) (*Status, error) {
	if m.Err != nil {
		return nil, m.Err
	}
	s, err := m.Read()
	if err != nil {
		return nil, err
	}
	st, err := In(s)
	return &st, errors.Join(err, s.Close())
}

// In returns how an open mapping stands, by what its journal knows.
func In(s *mapping.Session) (st Status, err error) {
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
	st = Status{
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
		st.Failures = append(st.Failures, Failure{
			Path: f.Path, PathBytes: text.RawName(f.Path), Class: f.Class, Message: f.Message, Tries: f.Tries, Last: f.Last.UTC(),
		})
	}
	if st.Uploads, err = uploadsIn(s); err != nil {
		return st, err
	}
	f := facts{State: &state, Counts: counts}
	if f.Holder, f.Running = mapping.HolderOf(s.Dir); f.Running {
		st.PID = f.Holder.PID
	}
	word, why := wordFor(&f)
	st.State, st.Why = string(word), why
	return st, nil
}

// uploadsIn returns the first of those that can be continued.
func uploadsIn(s *mapping.Session) (shown []Upload, err error) {
	all, err := s.Journal.Uploads()
	for i := range all[:min(len(all), text.MaxShown)] {
		u := &all[i]
		shown = append(shown, Upload{
			Path: u.Path, PathBytes: text.RawName(u.Path), Size: u.Source.Size, Confirmed: u.Confirmed,
			Began: u.Began.UTC(), Last: u.Last.UTC(),
		})
	}
	return shown, err
}

// hold says what waits for a person, the command lines that let it through, and who did so last.
func hold(st *Status, m *mapping.Mapping, s *journal.State, c journal.Counts) {
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
	if a := s.LastApproval; !a.At.IsZero() {
		st.LastApproval = &Approval{By: a.By, At: a.At.UTC(), Deletes: a.Deletes}
	}
	st.HeldWhy, st.Approve = strings.Join(whys, "; "), strings.Join(ways, "; ")
}
