package text

import (
	"fmt"

	"github.com/snapsync/snapsync/journal"
)

// Step is one step for programs. Fields are only ever added.
//
//	{"type":"step","action":"send","path":"a/b.txt","size":12,"how":"upload","reason":"new"}
//	{"type":"step","action":"move","path":"y","from":"x","dir":true,"files":812,"reason":"renamed"}
//	{"type":"step","action":"delete","path":"old.txt","reason":"deleted","held":false}
//
// Names that are not valid UTF-8 have their bytes, in base64, beside them.
type Step struct {
	Type      string  `json:"type"`
	Action    string  `json:"action"`
	From      string  `json:"from,omitempty"`
	Path      string  `json:"path"`
	Size      *int64  `json:"size,omitempty"`
	How       string  `json:"how,omitempty"`
	Dir       *bool   `json:"dir,omitempty"`
	Files     *int32  `json:"files,omitempty"`
	Reason    string  `json:"reason"`
	Held      *bool   `json:"held,omitempty"`
	PathBytes *string `json:"path_base64,omitempty"`
	FromBytes *string `json:"from_base64,omitempty"`
}

// NewStep returns a step for programs.
func NewStep(s *journal.Step) Step {
	out := Step{
		Type: "step", Action: s.Action.String(), From: s.From, Path: s.Path, Reason: s.Reason.String(),
		PathBytes: RawName(s.Path), FromBytes: RawName(s.From),
	}
	switch s.Action {
	case journal.Send:
		out.How = s.How.String()
		if s.How == journal.Upload || s.How == journal.Copy {
			out.Size = &s.New.Size
		}
	case journal.Move:
		out.Dir = &s.Dir
		if s.Dir {
			out.Files = &s.Files
		} else {
			out.Size = &s.New.Size
		}
	case journal.Delete:
		out.Held = &s.Held
		if s.Dir {
			out.Dir = &s.Dir
		}
	}
	if s.Held {
		out.Held = &s.Held
	}
	return out
}

// line is one step for people.
type line struct{ symbol, kind, text string }

// kinds is every line.kind, in the order in which a long plan sums them up.
var kinds = []string{"new", "change", "copy", "touch", "mkdir", "move", "delete", "rmdir", "held"}

// show returns a step with what it saves. Of a moved directory only the engine knows that: saved.
func show(s *journal.Step, saved int64) shown {
	if s.New != nil && !s.Dir && (s.Action == journal.Move || s.How == journal.Copy) {
		saved = s.New.Size
	}
	return shown{s, saved}
}

// Describe says in words what a step is: its kind, which is one word, and what it is done to.
func Describe(s *journal.Step) (kind, text string) {
	l := describe(show(s, 0))
	return l.kind, l.text
}

func describe(s shown) line {
	line := describeFree(s)
	if s.Held {
		line.text += " [" + line.kind + "]"
		line.symbol, line.kind = "!", "held"
	}
	return line
}

func describeFree(s shown) line {
	switch s.Action {
	case journal.Move:
		return line{"→", "move", moveText(s)}
	case journal.Delete:
		if s.Dir {
			return line{"-", "rmdir", DirPath(s.Path, true)}
		}
		return line{"-", "delete", Path(s.Path) + Because(s.Step, journal.Deleted)}
	}
	switch s.How {
	case journal.Copy:
		return line{"©", "copy", fmt.Sprintf("%s → %s (%s not sent)", Path(s.From), Path(s.Path), Size(s.saved))}
	case journal.Touch:
		return line{"t", "touch", Path(s.Path)}
	case journal.Mkdir:
		return line{"+", "mkdir", DirPath(s.Path, true)}
	}
	if s.Reason == journal.New {
		return line{"+", "new", fmt.Sprintf("%s (%s)", Path(s.Path), Size(s.New.Size))}
	}
	return line{"~", "change", fmt.Sprintf("%s (%s%s)", Path(s.Path), Size(s.New.Size), comma(s.Step, journal.Modified))}
}

func moveText(s shown) string {
	from, to := DirPath(s.From, s.Dir), DirPath(s.Path, s.Dir)
	switch {
	case s.Dir && s.saved == 0: // nothing, or nobody knows any more
		return fmt.Sprintf("%s → %s (%s)", from, to, Counted(int64(s.Files), "file"))
	case s.Dir:
		return fmt.Sprintf("%s → %s (%s, %s not sent)", from, to, Counted(int64(s.Files), "file"), Size(s.saved))
	}
	return fmt.Sprintf("%s → %s (%s not sent%s)", from, to, Size(s.saved), comma(s.Step, journal.Renamed))
}

// Because names the reason unless it is the usual one.
func Because(s *journal.Step, usual journal.Reason) string {
	if s.Reason == usual {
		return ""
	}
	return fmt.Sprintf(" (%v)", s.Reason)
}

func comma(s *journal.Step, usual journal.Reason) string {
	if s.Reason == usual {
		return ""
	}
	return fmt.Sprintf(", %v", s.Reason)
}

// Past says what a step has done, for the log.
func Past(s *journal.Step) string {
	switch s.Action {
	case journal.Move:
		if s.Dir {
			return fmt.Sprintf("moved from %s (%s)", DirPath(s.From, true), Counted(int64(s.Files), "file"))
		}
		return "moved from " + Path(s.From)
	case journal.Delete:
		if s.Dir {
			return "removed the empty directory"
		}
		return "deleted" + Because(s, journal.Deleted)
	}
	switch s.How {
	case journal.Copy:
		return "copied from " + Path(s.From)
	case journal.Touch:
		return "touched"
	case journal.Mkdir:
		return "made the directory"
	}
	return fmt.Sprintf("sent (%s, %v)", Size(s.New.Size), s.Reason)
}

// Done is a step that was executed.
type Done struct {
	Step
	Error string `json:"error,omitempty"`
}
