package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/inspect"
)

type verifyCmd struct {
	Src    string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	Repair bool   `group:"safety" help:"Record what the remote really holds, so that the next run repairs it."`
	settings.Selection
	settings.SyncFlags
}

// Help is the long text of `verify --help`.
func (*verifyCmd) Help() string {
	return `The remote is listed once and compared with what it has acknowledged: what is missing, what differs, what
somebody else put there. With --checksum the local files are read as well, where the remote gives hashes
that nothing else can be compared with. The remote itself is never changed: with --repair the next run
sends what is missing or differs. What is extra it deletes with --complete-sync, and leaves alone without.

It judges by the flags of the config file, for a mapping that is not there by those of the last run unless it gets
some of its own.

Exit status: 20 if there are differences, repaired or not.

Examples:

    snapsync verify -m work
    snapsync verify ~/work --remote mys3:bucket/work
    snapsync verify --repair ~/work && snapsync run --once ~/work --remote mys3:bucket/work`
}

// Run implements the command.
func (c *verifyCmd) Run(w *world) error {
	return w.Each(&c.Selection, c.Src, "", func(m *mapping.Mapping) error {
		s, err := m.Open(w.Ctx, mapping.Holder{Socket: w.socket})
		if err != nil {
			return err
		}
		settings.Heading(w.Printer, m)
		return errors.Join(c.verify(w, s), s.Close())
	})
}

func (c *verifyCmd) verify(w *world, s *mapping.Session) error {
	flags, err := w.Recall(s, &c.SyncFlags)
	if err != nil {
		return err
	}
	config, err := w.EngineConfig(s.Mapping, flags, &settings.TransferFlags{})
	if err != nil {
		return err
	}
	config.Journal = s.Journal
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	report, err := e.Verify(w.Ctx, engine.VerifyOptions{Repair: c.Repair, Checksum: c.Checksum})
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	if err := writeReport(w, report, c.Repair, flags.CompleteSync); err != nil {
		return err
	}
	if !report.Clean() {
		return exit.Quiet(exit.StatusSteps)
	}
	return nil
}

// differenceJSON is one line of `verify --json`.
type differenceJSON struct {
	Type      string  `json:"type"`
	Kind      string  `json:"kind"` // missing, differs, extra
	Path      string  `json:"path"`
	What      string  `json:"what"`
	PathBytes *string `json:"path_base64,omitempty"`
}

// verifyTotals is its last line.
type verifyTotals struct {
	Type     string `json:"type"`
	Checked  int64  `json:"checked"`
	Missing  int    `json:"missing"`
	Differs  int    `json:"differs"`
	Extra    int    `json:"extra"`
	Unknown  int64  `json:"unknown"` // compared by size only
	Repaired int64  `json:"repaired"`
}

func writeReport(w *world, r *inspect.Report, repair, mirror bool) error {
	for _, group := range []struct {
		kind  string
		paths []inspect.Difference
	}{{"missing", r.Missing}, {"differs", r.Differs}, {"extra", r.Extra}} {
		for _, d := range group.paths {
			out := differenceJSON{"difference", group.kind, d.Path, d.What, text.RawName(d.Path)}
			if err := w.Row(out, "%-8s %s: %s", group.kind, text.Path(d.Path), d.What); err != nil {
				return err
			}
		}
	}
	if w.JSON {
		return text.WriteJSON(w.Out, verifyTotals{
			"summary", r.Checked, len(r.Missing), len(r.Differs), len(r.Extra), r.Unknown, r.Repaired,
		})
	}
	if w.Quiet {
		return nil
	}
	return writeVerdict(w.Out, r, repair, mirror)
}

func writeVerdict(w io.Writer, r *inspect.Report, repair, mirror bool) error {
	line := text.Counted(r.Checked, "file") + " checked"
	if r.Unknown > 0 {
		line += fmt.Sprintf(" (%s by size only)", text.Count(r.Unknown))
	}
	switch {
	case r.Clean():
		line += ", no differences"
	default:
		line += fmt.Sprintf(", %d missing, %d differ, %d extra", len(r.Missing), len(r.Differs), len(r.Extra))
	}
	if _, err := fmt.Fprintf(w, "snapsync: %s\n", line); err != nil || r.Clean() {
		return err
	}
	hint := "'snapsync verify --repair' records it, so that the next run " + cure(r, mirror)
	if repair {
		hint = "recorded; the next run " + cure(r, mirror)
	}
	_, err := fmt.Fprintf(w, "hint: %s\n", hint)
	return err
}

// cure says what the run after a repair does about the differences.
func cure(r *inspect.Report, mirror bool) string {
	extra := "leaves what is extra, unless with --complete-sync"
	switch {
	case mirror || len(r.Extra) == 0:
		return "repairs the remote"
	case len(r.Missing)+len(r.Differs) == 0:
		return extra
	}
	return "sends what is missing or differs, and " + extra
}
