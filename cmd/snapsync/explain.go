package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/inspect"
	"github.com/snapsync/snapsync/snapshot"
)

type explainCmd struct {
	Path string `arg:"" help:"A path inside the source."`
	settings.Selection
	settings.SyncFlags
}

// Help is the long text of `explain --help`.
func (*explainCmd) Help() string {
	return `It shows what the remote is known to hold at the path, what the source holds now, the rule that decides, and
what was done about it before. The file is read only if its stat cannot tell; the remote is not asked.
It judges by the flags of the config file, for a mapping that is not there by those of the last run unless it gets
some of its own.

Examples:

    snapsync explain ~/work/report.odt
    snapsync explain -m work report.odt
    snapsync explain --source ~/work report.odt`
}

// Run implements the command.
func (c *explainCmd) Run(w *world) error {
	return withHistory(w, &c.Selection, "", c.Path, func(s *mapping.Session) error {
		path, err := s.PathIn(c.Path)
		if err != nil {
			return err
		}
		if path == "" {
			return exit.Usage("name a path inside it", "the source itself is not a path of the mapping")
		}
		flags, err := w.Recall(s, &c.SyncFlags)
		if err != nil {
			return err
		}
		x, err := explain(w, s, flags, path)
		if err != nil {
			return err
		}
		if w.JSON {
			return text.WriteJSON(w.Out, explanationOf(x))
		}
		return writeExplanation(w.Out, s.Mapping, x)
	})
}

func explain(w *world, s *mapping.Session, flags *settings.SyncFlags, path string) (*inspect.Explanation, error) {
	config, err := w.EngineConfig(s.Mapping, flags, &settings.TransferFlags{})
	if err != nil {
		return nil, err
	}
	config.Journal = s.Journal
	e, err := engine.New(config)
	if err != nil {
		return nil, err
	}
	x, err := e.Explain(w.Ctx, path)
	return x, errors.Join(err, e.Close())
}

// explanationJSON is an explanation for programs.
type explanationJSON struct {
	Path     string         `json:"path"`
	Verdict  string         `json:"verdict"`
	Rule     string         `json:"rule"`
	Excluded bool           `json:"excluded"`
	Skipped  string         `json:"skipped,omitempty"` // "a symlink", "a fifo", …
	Held     bool           `json:"held"`
	Before   *text.Entry    `json:"before"` // what the remote is known to hold
	Now      *text.Entry    `json:"now"`    // what the source holds
	Pending  *text.Step     `json:"pending,omitempty"`
	Failure  *failureJSON   `json:"failure,omitempty"`
	History  []text.History `json:"history"` // newest first
}

type failureJSON struct {
	Message string  `json:"message"`
	Class   string  `json:"class"`
	Tries   int64   `json:"tries"`
	First   *string `json:"first"`
	Last    *string `json:"last"`
}

func explanationOf(x *inspect.Explanation) explanationJSON {
	out := explanationJSON{
		Path: x.Path, Verdict: x.Verdict, Rule: x.Rule, Excluded: x.Excluded, Skipped: x.Skipped,
		Before: text.NewEntry(x.Base), Now: text.NewEntry(x.Head), History: []text.History{},
	}
	if x.Step != nil {
		step := text.NewStep(x.Step)
		out.Pending, out.Held = &step, x.Step.Held
	}
	if f := x.Failure; f != nil {
		out.Failure = &failureJSON{f.Message, f.Class, int64(f.Tries), text.JSONTime(f.First), text.JSONTime(f.Last)}
	}
	for i := range x.History {
		out.History = append(out.History, text.NewHistory(&x.History[i]))
	}
	return out
}

func writeExplanation(w io.Writer, m *mapping.Mapping, x *inspect.Explanation) error {
	fmt.Fprintf(w, "%s: %s\n  because %s\n\n", text.Path(x.Path), x.Verdict, x.Rule)
	writeEntries(w, x)
	if s := x.Step; s != nil {
		kind, what := text.Describe(s)
		fmt.Fprintf(w, "\npending: %s %s\n", kind, what)
	}
	if f := x.Failure; f != nil {
		fmt.Fprintf(w, "\nfailed: %s (%s, first %s, last %s)\n", text.WithoutPath(f.Message, x.Path), text.Counted(int64(f.Tries), "attempt"), text.Time(f.First), text.Time(f.Last))
	}
	if len(x.History) > 0 {
		fmt.Fprintln(w, "\nhistory:")
	}
	for i := range x.History {
		if err := text.WriteHistory(w, &x.History[i]); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nmapping: %s\n", m)
	return err
}

// writeEntries shows what the remote holds and what the source holds side by side; what differs is marked.
func writeEntries(w io.Writer, x *inspect.Explanation) {
	base, head := x.Base, x.Head
	before, now := facts(base), facts(head)
	if x.Skipped != "" {
		now[0].value = x.Skipped
	}
	fmt.Fprintf(w, "  %-7s %-34s %s\n", "", "on the remote", "in the source")
	for i, f := range before {
		mark := ""
		if base != nil && head != nil && f.value != now[i].value && f.value != "" && now[i].value != "" {
			mark = "  ← differs"
		}
		if f.value == "" && now[i].value == "" {
			continue
		}
		line := fmt.Sprintf("  %-7s %-34s %s%s", f.name, f.value, now[i].value, mark)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

type fact struct{ name, value string }

// facts are what an entry says, in a fixed order and number.
func facts(e *snapshot.Entry) []fact {
	if e == nil {
		return []fact{{"kind", "absent"}, {"size", ""}, {"mtime", ""}, {"ctime", ""}, {"inode", ""}, {"mode", ""}, {"hash", ""}, {"flags", ""}}
	}
	stamp := func(n int64) string {
		if n == 0 {
			return ""
		}
		return (&snapshot.Entry{Mtime: n}).ModTime().Local().Format("2006-01-02 15:04:05.000000000")
	}
	inode, hash, mode := "", "", ""
	if e.Mode != 0 {
		mode = fmt.Sprintf("%04o", e.Mode)
	}
	if e.Ino != 0 {
		inode = fmt.Sprint(e.Ino)
	}
	if e.HashType != snapshot.NoHash {
		hash = e.HashType.String() + ":" + e.Hash.String()[:16] + "…"
	}
	return []fact{
		{"kind", e.Kind.String()}, {"size", text.Count(e.Size)}, {"mtime", stamp(e.Mtime)}, {"ctime", stamp(e.Ctime)},
		{"inode", inode}, {"mode", mode}, {"hash", hash}, {"flags", flagText(e.Flags)},
	}
}

func flagText(f snapshot.Flags) string {
	var words []string
	for _, w := range []struct {
		flag snapshot.Flags
		word string
	}{{snapshot.Racy, "racy"}, {snapshot.Retained, "retained"}, {snapshot.Adopted, "adopted"}} {
		if f.Has(w.flag) {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, " ")
}
