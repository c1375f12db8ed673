package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/journal"
)

type retryCmd struct {
	Path []string `arg:"" optional:"" help:"Only what failed here and beneath: files, directories or the source itself. Default: all that failed."`
	settings.Selection
}

// Help is the long text of `retry --help`.
func (*retryCmd) Help() string {
	return `A running 'snapsync run' sets a path that fails aside, longer each time, until it changes. This command shows which
these are and has them tried again now. Where nothing is running, the next run tries all of them anyway.

Exit status: 0; 1 if a path was named that did not fail, after the others were seen to.

Examples:

    snapsync retry
    snapsync retry -m work
    snapsync retry ~/work
    snapsync retry ~/work/report.odt ~/work/photos
    snapsync retry -m work photos`
}

// Run implements the command.
func (c *retryCmd) Run(w *world) error {
	all, err := c.wishes(w)
	if err != nil {
		return err
	}
	failed := map[string]bool{} // of the paths, as they were typed
	err = settings.ForEach(w.Ctx, w.Printer, all, func(r *retryWish) string { return r.mapping.Label() }, func(r *retryWish) error { return c.retry(w, r, failed) })
	var missed []string
	for _, typed := range c.Path {
		if !failed[typed] {
			missed = append(missed, text.Path(typed))
		}
	}
	if len(missed) == 0 || err != nil {
		return err
	}
	return &exit.Failure{
		Status: exit.StatusError, Err: fmt.Errorf("not tried again, as it did not fail: %s", strings.Join(missed, ", ")),
		Hint: "'snapsync retry' and 'snapsync status' list what did; 'snapsync explain PATH' says why a path was sent or not",
	}
}

// retryWish is what is to be tried again of one mapping; no paths: everything.
type retryWish struct {
	mapping *mapping.Mapping
	paths   []string // of the mapping
	typed   []string // the same, as a person wrote them
}

// wishes finds out which mappings the paths are of. One that may be of several is looked for in each.
func (c *retryCmd) wishes(w *world) (all []*retryWish, err error) {
	candidates, err := w.Candidates(&c.Selection, "")
	if err != nil {
		return nil, err
	}
	of := func(m *mapping.Mapping) *retryWish {
		for _, r := range all {
			if r.mapping == m {
				return r
			}
		}
		all = append(all, &retryWish{mapping: m})
		return all[len(all)-1]
	}
	typed := c.Path
	if len(typed) == 0 {
		typed = []string{""} // everything of the mappings that are meant
	}
	for _, typed := range typed {
		found, err := w.Among(candidates, &c.Selection, "", typed)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			r := of(m)
			if typed == "" {
				continue
			}
			rel, err := m.PathIn(typed)
			if err != nil {
				return nil, err
			}
			r.paths, r.typed = append(r.paths, rel), append(r.typed, typed)
		}
	}
	return all, nil
}

// retry has what failed of one mapping tried again, and adds to found the paths that did fail.
func (c *retryCmd) retry(w *world, r *retryWish, found map[string]bool) error {
	s, err := r.mapping.Read()
	if err != nil {
		return err
	}
	rows, err := s.Journal.Failures(steer.EveryFailure)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if len(r.paths) > 0 {
		for i, rel := range r.paths {
			if rel == "" || len(loop.FailedAt(rows, []string{rel})) > 0 { // "": the source itself, with all that failed
				found[r.typed[i]] = true
			}
		}
		if rows = loop.FailedAt(rows, r.paths); len(rows) == 0 && !slices.Contains(r.paths, "") && !w.JSON {
			return nil // which is said of all mappings at once
		}
	}
	showFailures(w, rows)
	n := int64(len(rows))
	if p := keeper(w.Resolver, r.mapping); p != nil {
		out, err := p.Do(w.Ctx, steer.WithPaths(control.Command{Name: control.Retry, Mapping: p.ID}, r.paths))
		switch {
		case err == nil:
			return answer(w.Printer, r.mapping, "retry", out.Count, "", out.Text)
		case !errors.Is(err, control.ErrNotRunning):
			return err
		}
	}
	msg := steer.NothingFailed
	if n > 0 {
		msg = text.Counted(n, "failed path") + ": the next run tries " + text.Plural(n, "it", "all of them")
	}
	return answer(w.Printer, r.mapping, "retry", n, "", msg)
}

// showFailures lists the first of the paths that failed.
func showFailures(w *world, rows []journal.FailureRow) {
	if w.JSON || w.Quiet {
		return
	}
	shown := rows[:min(len(rows), engine.MaxFailures)]
	for i := range shown {
		fmt.Fprintf(w.Out, "  %s: %s\n", text.Path(shown[i].Path), text.WithoutPath(shown[i].Message, shown[i].Path))
	}
	if more := len(rows) - len(shown); more > 0 {
		fmt.Fprintf(w.Out, "  … and %s more\n", text.Count(int64(more)))
	}
}
