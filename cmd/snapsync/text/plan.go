package text

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// Plan is a preview as it is shown: steps that a person or a script cares about, and totals.
type Plan struct {
	preview *engine.Preview
	steps   []shown
	totals  planTotals
	Skipped string // what the scan left out, to be added to the last line
}

// shown is a step as a plan shows it.
type shown struct {
	*journal.Step
	saved int64 // bytes that need not be sent
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

// NewPlan leaves out emptied directories, unless directories are mirrored for their own sake:
// they are a consequence of the other steps, and are counted.
func NewPlan(p *engine.Preview, emptyDirs bool) *Plan {
	v := &Plan{preview: p, Skipped: Skipped(&p.Head.Stats)}
	for i := range p.Plan.Steps {
		step := show(&p.Plan.Steps[i], p.Saved[i])
		if Emptied(step.Step) {
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

// Emptied reports whether a step removes a directory because nothing is left in it.
func Emptied(s *journal.Step) bool { return s.Action == journal.Delete && s.Dir }

func (t *planTotals) add(s shown) {
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
		if !s.Dir {
			t.MovedFiles++
		} else {
			t.MovedFiles += int64(s.Files)
		}
	case journal.Delete:
		if !s.Dir {
			t.Delete++
		}
	}
}

func (t *planTotals) addSend(s shown) {
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

// WriteJSON prints each step that is shown as a line, and then the totals.
func (v *Plan) WriteJSON(w io.Writer) error {
	for _, s := range v.steps {
		if err := WriteJSON(w, NewStep(s.Step)); err != nil {
			return err
		}
	}
	return WriteJSON(w, v.totals)
}

// WriteText shows at most limit steps of each kind of the plan of a mapping; 0: all. approval is the command line that
// approves what is held, with an option of it.
func (v *Plan) WriteText(w io.Writer, mapping string, approval func(option string) string, limit int) error {
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
			fmt.Fprintf(w, "… and %s more: %s (--all shows them)\n", Count(int64(n)), kind)
		}
	}
	if len(v.steps) > 0 {
		fmt.Fprintln(w)
	}
	v.writeReasons(w, approval)
	_, err := fmt.Fprintf(w, "snapsync: %s: %s\n", mapping, v.Total())
	return err
}

// Empty reports whether no step is shown.
func (v *Plan) Empty() bool { return len(v.steps) == 0 }

// Total returns the line that sums the plan up.
func (v *Plan) Total() string { return v.totals.text(v.preview.Head.Stats.Files) + v.Skipped }

// writeReasons says what the plan does not do, and why.
func (v *Plan) writeReasons(w io.Writer, approval func(option string) string) {
	for _, p := range v.preview.Head.Problems {
		what := "cannot read"
		if errors.Is(p.Err, remote.ErrInvalidName) {
			what = "not sent:"
		}
		fmt.Fprintf(w, "%s %s: %s\n", what, Path(p.Path), WithoutPath(p.Err.Error(), p.Path))
	}
	for _, u := range v.preview.Head.Unproven {
		fmt.Fprintf(w, "nothing is deleted beneath %s: %s (%s kept)\n", Path(u.Path), u.Reason, Counted(u.Kept, "file"))
	}
	if h := v.preview.Hold; h != nil {
		fmt.Fprintf(w, "%s held: %s\n", Counted(h.Deletes, "delete"), h.Why)
		fmt.Fprintf(w, "hint: everything else goes on; 'run --approve' lets them through, or after a run: %s\n", approval(""))
	}
	if h := v.preview.Mounts; h != nil {
		fmt.Fprintf(w, "%s held: %s\n", Counted(h.Deletes, "delete"), h.Why)
		fmt.Fprintf(w, "hint: everything else goes on; mount it again, or accept what is there now with: %s\n", approval("--new-source"))
	}
}

func (t *planTotals) text(files int64) string {
	if t.Send+t.Move+t.Delete+t.Held+t.Rmdir == 0 {
		return fmt.Sprintf("nothing to do (%s checked)", Counted(files, "file"))
	}
	line := fmt.Sprintf("send %s (%s)", Count(t.Upload), Size(t.UploadBytes))
	if t.Copy > 0 {
		line += ", copy " + Count(t.Copy)
	}
	if t.Touch > 0 {
		line += ", touch " + Count(t.Touch)
	}
	if t.Move > 0 {
		line += fmt.Sprintf(", move %s (%s)", Count(t.Move), Counted(t.MovedFiles, "file"))
	}
	line += ", delete " + Count(t.Delete)
	if t.Held > 0 {
		line += fmt.Sprintf(", %s held", Count(t.Held))
	}
	if t.SavedBytes > 0 {
		line += fmt.Sprintf("; moves and copies save %s", Size(t.SavedBytes))
	}
	return line
}
