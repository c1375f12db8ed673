package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

// Pauses between two looks at the history: a running process says when there is something new, so that
// is only for what it cannot say.
const (
	followEvery = time.Second
	followRest  = 30 * time.Millisecond // many steps in a row are read together
)

// follow is `log --follow`. What it prints is always the history on disk; the events of a running
// process only tell when to read it.
func (c *logCmd) follow(w *world) error {
	m, err := w.Choose(&c.Selection, "", c.Path)
	if err != nil {
		return err
	}
	path, err := m.PathIn(c.Path)
	if err != nil {
		return err
	}
	f := &follower{world: w, mapping: m, path: path}
	rows, err := f.rows(journal.HistoryQuery{Limit: c.Number, Newest: true})
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	if err := f.print(rows); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.Ctx)
	news, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		f.listen(ctx, news)
	}()
	defer func() { cancel(); <-ended }()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.Ctx.Done():
			return nil // that is how it ends
		case <-news:
			time.Sleep(followRest)
		case <-tick.C:
		}
		if err := f.more(); err != nil {
			return err
		}
	}
}

// follower is where a `log --follow` is.
type follower struct {
	*world
	mapping *mapping.Mapping
	path    string
	last    int64 // row that was printed
	doubts  int   // times in a row that the state looked damaged
}

// maxDoubts is how often in a row a state may look damaged before it is.
const maxDoubts = 5

// rows asks the journal, opened anew: what is written meanwhile is only then seen for sure.
func (f *follower) rows(q journal.HistoryQuery) ([]journal.HistoryRow, error) {
	s, err := f.mapping.Read()
	if err != nil {
		return nil, err
	}
	q.Path = f.path
	rows, err := s.Journal.History(q)
	return rows, errors.Join(err, s.Close())
}

// more prints what came since: read backwards from the newest row, as many as needed.
func (f *follower) more() error {
	for limit := 256; ; limit *= 4 {
		rows, err := f.rows(journal.HistoryQuery{Limit: limit, Newest: true})
		if errors.Is(err, journal.ErrDamaged) && f.doubts < maxDoubts {
			f.doubts++ // a writer began meanwhile, most likely: see journal.OpenReadOnly
			return nil
		}
		if err != nil {
			return err
		}
		f.doubts = 0
		known := slices.IndexFunc(rows, func(r journal.HistoryRow) bool { return r.ID <= f.last })
		if known < 0 && len(rows) == limit {
			continue
		}
		if known >= 0 {
			rows = rows[:known]
		}
		slices.Reverse(rows)
		return f.print(rows)
	}
}

func (f *follower) print(rows []journal.HistoryRow) error {
	for i := range rows {
		if err := printHistory(f.world, &rows[i]); err != nil {
			return err
		}
		f.last = rows[i].ID
	}
	return nil
}

// listen says that there are news, as long as there is a process that tells.
func (f *follower) listen(ctx context.Context, news chan<- struct{}) {
	for ctx.Err() == nil {
		if p := keeper(f.Resolver, f.mapping); p != nil {
			err := p.Events(ctx, p.ID, "", func(e control.Event) error {
				if e.Type == "step" || e.Type == "cycle" {
					select {
					case news <- struct{}{}:
					default:
					}
				}
				return nil
			})
			f.Log.Debug("events ended", "err", err)
		}
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
		}
	}
}
