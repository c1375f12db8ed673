package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

type logCmd struct {
	Path   string `arg:"" optional:"" help:"Only this path and what is beneath it, under any name that it had."`
	Number int    `short:"n" default:"20" placeholder:"N" help:"How many lines; 0: all."`
	Follow bool   `short:"f" help:"Stay and show what is done, as it is done; newest last."`
	selection
}

// Help is the long text of `log --help`.
func (*logCmd) Help() string {
	return `Each line is a step that the remote acknowledged: when, in which snapshot, and what.

Examples:

    snapsync log
    snapsync log -n 0 photos/2026
    snapsync log -m work
    snapsync log -f
    snapsync log --json --source ~/work`
}

// Run implements the command.
func (c *logCmd) Run(a *app) error {
	if c.Follow {
		return c.follow(a)
	}
	return a.withHistory(&c.selection, "", c.Path, func(s *session) error {
		path, err := s.pathIn(c.Path)
		if err != nil {
			return err
		}
		rows, err := s.journal.History(journal.HistoryQuery{Path: path, Limit: c.Number, Newest: true})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := a.printHistory(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) == 0 && !a.JSON && !a.Quiet {
			fmt.Fprintln(a.stderr, "nothing recorded")
		}
		return nil
	})
}

func (a *app) printHistory(r *journal.HistoryRow) error {
	if a.JSON {
		return writeJSON(a.stdout, historyOf(r))
	}
	return writeHistory(a.stdout, r)
}

// withHistory runs fn on the mappings that are meant, each opened without leaving a trace.
func (a *app) withHistory(sel *selection, src, path string, fn func(*session) error) error {
	return a.each(sel, src, path, func(m *mapping) error {
		s, err := m.read()
		if err != nil {
			return err
		}
		a.heading(m)
		return errors.Join(fn(s), s.close())
	})
}

// historyJSON is one acknowledged step.
type historyJSON struct {
	stepJSON
	Snapshot int64      `json:"snapshot"`
	Time     *string    `json:"time"`
	Before   *entryJSON `json:"before"`
	After    *entryJSON `json:"after"`
}

// entryJSON is an entry of the base or of the source.
type entryJSON struct {
	Kind     string  `json:"kind"`
	Size     int64   `json:"size"`
	Mtime    *string `json:"mtime"`
	Mode     string  `json:"mode"`
	Ino      uint64  `json:"ino,omitempty"`
	HashType string  `json:"hash_type,omitempty"`
	Hash     string  `json:"hash,omitempty"`
	Retained bool    `json:"retained,omitempty"`
	Adopted  bool    `json:"adopted,omitempty"`
	Racy     bool    `json:"racy,omitempty"`
}

func entryOf(e *snapshot.Entry) *entryJSON {
	if e == nil {
		return nil
	}
	out := &entryJSON{
		Kind: e.Kind.String(), Size: e.Size, Mtime: jsonTime(e.ModTime()), Mode: fmt.Sprintf("%04o", e.Mode), Ino: e.Ino,
		Retained: e.Flags.Has(snapshot.Retained), Adopted: e.Flags.Has(snapshot.Adopted), Racy: e.Flags.Has(snapshot.Racy),
	}
	if e.HashType != snapshot.NoHash {
		out.HashType, out.Hash = e.HashType.String(), e.Hash.String()
	}
	return out
}

// stepOfRow is the step that a row of the history records.
func stepOfRow(r *journal.HistoryRow) *journal.Step {
	return &journal.Step{
		Path: r.Path, From: r.From, Old: r.Before, New: r.After, Files: int32(r.Files),
		Action: r.Action, How: r.How, Reason: r.Reason, Dir: r.Dir,
	}
}

func historyOf(r *journal.HistoryRow) historyJSON {
	out := historyJSON{
		stepJSON: stepJSON{
			Type: "history", Action: r.Action.String(), From: r.From, Path: r.Path, Reason: r.Reason.String(),
			PathBytes: rawName(r.Path), FromBytes: rawName(r.From),
		},
		Snapshot: r.Cycle, Time: jsonTime(r.At), Before: entryOf(r.Before), After: entryOf(r.After),
	}
	if r.Action == journal.Send {
		out.How = r.How.String()
	}
	if r.Dir {
		files := int32(r.Files)
		out.Dir, out.Files = &r.Dir, &files
	}
	if r.After != nil && !r.Dir {
		out.Size = &r.After.Size
	}
	return out
}

func writeHistory(w io.Writer, r *journal.HistoryRow) error {
	step := stepOfRow(r)
	if r.After == nil {
		step.New = &snapshot.Entry{}
	}
	line := describe(showStep(step, 0))
	_, err := fmt.Fprintf(w, "%s  #%-4d %s %-6s %s\n", localTime(r.At), r.Cycle, line.symbol, line.kind, line.text)
	return err
}
