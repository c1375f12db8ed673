package mapping

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/journal"
)

// Session is a mapping that is open: its journal, and its lock unless it is only read.
type Session struct {
	*Mapping
	Journal *journal.Journal
	Lock    *lock // nil: read-only
}

// Open takes the mapping for this process and opens its journal, creating both if need be.
//
// A crash between the two leaves a directory with a lock file and no journal, which is how a mapping
// without state looks to everybody.
func (m *Mapping) Open(ctx context.Context, as Holder) (*Session, error) {
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return nil, &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("make state directory: %w", err), Hint: "choose another with --state-dir"}
	}
	l, err := takeLock(ctx, m.Dir, as)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(m.JournalPath(), journal.Mapping{Source: m.Source, Remote: m.Key})
	if err != nil {
		l.release()
		return nil, err
	}
	return &Session{Mapping: m, Journal: j, Lock: l}, nil
}

// Read opens a mapping without leaving a trace. One that was never synced has an empty journal in memory.
func (m *Mapping) Read() (*Session, error) {
	j, err := m.journalOnly()
	if !m.HasState() {
		j, err = journal.OpenMemory(journal.Mapping{Source: m.Source, Remote: m.Key})
	}
	if err != nil {
		return nil, err
	}
	return &Session{Mapping: m, Journal: j}, nil
}

// journalOnly opens the journal for reading. One that a process is bringing up to date this very moment is waited for.
func (m *Mapping) journalOnly() (*journal.Journal, error) {
	const pause, tries = 20 * time.Millisecond, 100
	for n := 1; ; n++ {
		j, err := journal.OpenReadOnly(m.JournalPath())
		if n == tries || !errors.Is(err, journal.ErrOlder) {
			return j, err
		}
		if _, running := HolderOf(m.Dir); !running {
			return j, err
		}
		time.Sleep(pause)
	}
}

// Close closes the journal and lets the next process in, in this order.
func (s *Session) Close() error {
	err := s.Journal.Close()
	if s.Lock != nil {
		s.Lock.release()
	}
	return err
}

// Pending calls fn for every step in the journal, in order.
func (s *Session) Pending(fn func(*journal.Step) error) error {
	for after := int64(0); ; {
		page, err := s.Journal.Pending(after, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Seq
	}
}
