package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

type planCmd struct {
	Src      string `arg:"" optional:"" help:"The directory to mirror. Default: the working directory."`
	ExitCode bool   `group:"output" config:"-" help:"Exit with 20 if there is anything to do."`
	All      bool   `group:"output" help:"Show every step of a long plan on a terminal, too."`
	target
	syncFlags
	guardFlags
	transferFlags
	watchFlags
}

// Help is the long text of `plan --help`.
func (*planCmd) Help() string {
	return `It takes the flags of run, and shows what 'run --once' would do with them: in order, with totals, and with
what moves and copies save. It writes nothing, neither to the remote nor to the state, and works while a run
is under way. If the mapping was never synced, the remote is listed. Without --remote the mappings of the
config file are meant, or the one that -m names.

Each line starts with what happens to the path on the remote:

    +  it is new             →  it is moved there, not sent       -  it is deleted
    ~  it has new content    ©  it is copied from what is there   !  it is held: a person must approve
    t  it has a new mtime

Examples:

    snapsync plan
    snapsync plan -m work
    snapsync plan ~/work --remote mys3:bucket/work
    snapsync plan ~/work --remote mys3:bucket/work --complete-sync --json
    snapsync plan --exit-code ~/work --remote /mnt/backup/work || echo "there is something to do"`
}

// Run implements the command.
func (c *planCmd) Run(a *app) error {
	specs, err := a.specs(&spec{
		src: c.Src, target: c.target, syncFlags: c.syncFlags, guardFlags: c.guardFlags, transferFlags: c.transferFlags, watchFlags: c.watchFlags,
	})
	if err != nil {
		return err
	}
	return inTurn(a.ctx, a.printer, pointers(specs), specName, func(s *spec) error { return c.one(a, s) })
}

// one shows the plan of one mapping.
func (c *planCmd) one(a *app, sp *spec) error {
	m, config, err := a.prepareSpec(sp)
	if err != nil {
		return err
	}
	s, err := m.read()
	if err != nil {
		return err
	}
	a.heading(m)
	return errors.Join(c.show(a, s, config, sp.CreateEmptySrcDirs), s.close())
}

func (c *planCmd) show(a *app, s *session, config engine.Config, emptyDirs bool) error {
	config.Journal = s.journal
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	preview, err := e.Plan(a.ctx)
	if err = errors.Join(err, e.Close()); err != nil {
		return s.advise(err)
	}
	view := newPlanView(preview, emptyDirs)
	if a.Quiet {
		view.skipped = ""
	}
	out := bufio.NewWriter(a.stdout)
	switch {
	case a.JSON:
		err = view.writeJSON(out)
	default:
		err = view.writeText(out, s.mapping, c.limit(a))
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if c.ExitCode && len(view.steps) > 0 {
		return exit.Quiet(exit.StatusSteps)
	}
	return nil
}

// limit is how many steps of a kind are shown; 0: all. Only a person at a terminal gets fewer.
func (c *planCmd) limit(a *app) int {
	if c.All || a.Verbose > 0 || !isTerminal(a.stdout) {
		return 0
	}
	return 20
}

// planView is a preview as it is shown: steps that a person or a script cares about, and totals.
type planView struct {
	preview *engine.Preview
	steps   []shownStep
	totals  planTotals
	skipped string // what the scan left out, to be added to the last line
}

type shownStep struct {
	*journal.Step
	saved int64 // bytes that it does not have to send
}

// planTotals is the last line of `plan --json`.
type planTotals struct {
	Type        string `json:"type"`
	Send        int64  `json:"send"`
	Move        int64  `json:"move"`
	Delete      int64  `json:"delete"` // not held
	UploadBytes int64  `json:"upload_bytes"`
	SavedBytes  int64  `json:"saved_bytes"`
	Held        int64  `json:"held"`
	Rmdir       int64  `json:"rmdir"` // directories that go because nothing is left in them
	Upload      int64  `json:"upload"`
	Copy        int64  `json:"copy"`
	Touch       int64  `json:"touch"`
	MovedFiles  int64  `json:"moved_files"`
	Problems    int64  `json:"problems"` // paths that could not be looked at, or that cannot be on the remote
	Symlinks    int64  `json:"symlinks_skipped,omitempty"`
	Special     int64  `json:"special_skipped,omitempty"` // sockets, fifos, devices
	HeldWhy     string `json:"held_why,omitempty"`
}

// newPlanView leaves out emptied directories, unless directories are mirrored for their own sake:
// they are a consequence of the other steps, and are counted.
func newPlanView(p *engine.Preview, emptyDirs bool) *planView {
	v := &planView{preview: p, skipped: skippedText(&p.Head.Stats)}
	for i := range p.Plan.Steps {
		step := showStep(&p.Plan.Steps[i], p.Saved[i])
		if emptied(step.Step) {
			v.totals.Rmdir++
			if !emptyDirs {
				continue
			}
		}
		v.totals.add(step)
		v.steps = append(v.steps, step)
	}
	v.totals.Type, v.totals.Problems = "summary", int64(len(p.Head.Problems))
	v.totals.Symlinks, v.totals.Special = p.Head.Stats.Symlinks, p.Head.Stats.Special
	var whys []string
	if p.Hold != nil {
		whys = append(whys, p.Hold.Why)
	}
	if p.Mounts != nil {
		v.totals.Held += p.Mounts.Deletes
		whys = append(whys, p.Mounts.Why)
	}
	v.totals.HeldWhy = strings.Join(whys, "; ")
	return v
}

// emptied reports whether a step removes a directory because nothing is left in it.
func emptied(s *journal.Step) bool { return s.Action == journal.Delete && s.Dir }

func (t *planTotals) add(s shownStep) {
	if s.Held {
		t.Held++
		return
	}
	t.SavedBytes += s.saved
	switch s.Action {
	case journal.Send:
		t.Send++
		t.addSend(s)
	case journal.Move:
		t.Move++
		t.MovedFiles += s.files()
	case journal.Delete:
		if !s.Dir {
			t.Delete++
		}
	}
}

func (t *planTotals) addSend(s shownStep) {
	switch s.How {
	case journal.Upload:
		t.Upload++
		t.UploadBytes += s.New.Size
	case journal.Copy:
		t.Copy++
	case journal.Touch:
		t.Touch++
	}
}

func (s shownStep) files() int64 {
	if s.Dir {
		return int64(s.Files)
	}
	return 1
}

func (v *planView) writeJSON(w io.Writer) error {
	for _, s := range v.steps {
		if err := writeJSON(w, stepOf(s.Step)); err != nil {
			return err
		}
	}
	return writeJSON(w, v.totals)
}

// writeText shows at most limit steps of each kind; 0: all.
func (v *planView) writeText(w io.Writer, m *mapping, limit int) error {
	shown := map[string]int{}
	for _, s := range v.steps {
		line := describe(s)
		shown[line.kind]++
		if limit > 0 && shown[line.kind] > limit {
			continue
		}
		fmt.Fprintf(w, "%s %-6s %s\n", line.symbol, line.kind, line.text)
	}
	for _, kind := range kinds {
		if n := shown[kind] - limit; limit > 0 && n > 0 {
			fmt.Fprintf(w, "… and %s more: %s (--all shows them)\n", count(int64(n)), kind)
		}
	}
	if len(v.steps) > 0 {
		fmt.Fprintln(w)
	}
	v.writeNotes(w, m)
	_, err := fmt.Fprintf(w, "snapsync: %s: %s%s\n", m, v.totals.text(v.preview.Head.Stats.Files), v.skipped)
	return err
}

// writeNotes says what the plan does not do, and why.
func (v *planView) writeNotes(w io.Writer, m *mapping) {
	for _, p := range v.preview.Head.Problems {
		what := "cannot read"
		if errors.Is(p.Err, remote.ErrInvalidName) {
			what = "not sent:"
		}
		fmt.Fprintf(w, "%s %s: %s\n", what, show(p.Path), withoutPath(p.Err.Error(), p.Path))
	}
	for _, u := range v.preview.Head.Unproven {
		fmt.Fprintf(w, "nothing is deleted beneath %s: %s (%s kept)\n", show(u.Path), u.Reason, counted(u.Kept, "file"))
	}
	if h := v.preview.Hold; h != nil {
		fmt.Fprintf(w, "%s held: %s\n", counted(h.Deletes, "delete"), h.Why)
		fmt.Fprintf(w, "hint: everything else goes on; 'run --approve' lets them through, or after a run: %s\n", m.approval(""))
	}
	if h := v.preview.Mounts; h != nil {
		fmt.Fprintf(w, "%s held: %s\n", counted(h.Deletes, "delete"), h.Why)
		fmt.Fprintf(w, "hint: everything else goes on; mount it again, or accept what is there now with: %s\n", m.approval("--new-source"))
	}
}

func (t *planTotals) text(files int64) string {
	if t.Send+t.Move+t.Delete+t.Held+t.Rmdir == 0 {
		return fmt.Sprintf("nothing to do (%s checked)", counted(files, "file"))
	}
	line := fmt.Sprintf("send %s (%s)", count(t.Upload), size(t.UploadBytes))
	if t.Copy > 0 {
		line += ", copy " + count(t.Copy)
	}
	if t.Touch > 0 {
		line += ", touch " + count(t.Touch)
	}
	if t.Move > 0 {
		line += fmt.Sprintf(", move %s (%s)", count(t.Move), counted(t.MovedFiles, "file"))
	}
	line += ", delete " + count(t.Delete)
	if t.Held > 0 {
		line += fmt.Sprintf(", %s held", count(t.Held))
	}
	if t.SavedBytes > 0 {
		line += fmt.Sprintf("; moves and copies save %s", size(t.SavedBytes))
	}
	return line
}
