package main

import (
	"fmt"

	"github.com/snapsync/snapsync/journal"
)

// stepJSON is one step for programs. Fields are only ever added.
//
//	{"type":"step","action":"send","path":"a/b.txt","size":12,"how":"upload","reason":"new"}
//	{"type":"step","action":"move","path":"y","from":"x","dir":true,"files":812,"reason":"renamed"}
//	{"type":"step","action":"delete","path":"old.txt","reason":"deleted","held":false}
//
// Names that are not valid UTF-8 have their bytes, in base64, beside them.
type stepJSON struct {
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

func stepOf(s *journal.Step) stepJSON {
	out := stepJSON{
		Type: "step", Action: s.Action.String(), From: s.From, Path: s.Path, Reason: s.Reason.String(),
		PathBytes: rawName(s.Path), FromBytes: rawName(s.From),
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

// stepLine is one step for people.
type stepLine struct{ symbol, kind, text string }

// kinds is every stepLine.kind, in the order in which a long plan sums them up.
var kinds = []string{"new", "change", "copy", "touch", "mkdir", "move", "delete", "rmdir", "held"}

// showStep is a step with what it saves. Of a moved directory only the engine knows that: saved.
func showStep(s *journal.Step, saved int64) shownStep {
	if s.New != nil && !s.Dir && (s.Action == journal.Move || s.How == journal.Copy) {
		saved = s.New.Size
	}
	return shownStep{s, saved}
}

func describe(s shownStep) stepLine {
	line := describeFree(s)
	if s.Held {
		line.text += " [" + line.kind + "]"
		line.symbol, line.kind = "!", "held"
	}
	return line
}

func describeFree(s shownStep) stepLine {
	switch s.Action {
	case journal.Move:
		return stepLine{"→", "move", moveText(s)}
	case journal.Delete:
		if s.Dir {
			return stepLine{"-", "rmdir", showDir(s.Path, true)}
		}
		return stepLine{"-", "delete", show(s.Path) + because(s.Step, journal.Deleted)}
	}
	switch s.How {
	case journal.Copy:
		return stepLine{"©", "copy", fmt.Sprintf("%s → %s (%s not sent)", show(s.From), show(s.Path), size(s.saved))}
	case journal.Touch:
		return stepLine{"t", "touch", show(s.Path)}
	case journal.Mkdir:
		return stepLine{"+", "mkdir", showDir(s.Path, true)}
	}
	if s.Reason == journal.New {
		return stepLine{"+", "new", fmt.Sprintf("%s (%s)", show(s.Path), size(s.New.Size))}
	}
	return stepLine{"~", "change", fmt.Sprintf("%s (%s%s)", show(s.Path), size(s.New.Size), comma(s.Step, journal.Modified))}
}

func moveText(s shownStep) string {
	from, to := showDir(s.From, s.Dir), showDir(s.Path, s.Dir)
	switch {
	case s.Dir && s.saved == 0: // nothing, or nobody knows any more
		return fmt.Sprintf("%s → %s (%s)", from, to, counted(int64(s.Files), "file"))
	case s.Dir:
		return fmt.Sprintf("%s → %s (%s, %s not sent)", from, to, counted(int64(s.Files), "file"), size(s.saved))
	}
	return fmt.Sprintf("%s → %s (%s not sent%s)", from, to, size(s.saved), comma(s.Step, journal.Renamed))
}

// because names the reason unless it is the usual one.
func because(s *journal.Step, usual journal.Reason) string {
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

// past says what a step has done, for the log.
func past(s *journal.Step) string {
	switch s.Action {
	case journal.Move:
		if s.Dir {
			return fmt.Sprintf("moved from %s (%s)", showDir(s.From, true), counted(int64(s.Files), "file"))
		}
		return "moved from " + show(s.From)
	case journal.Delete:
		if s.Dir {
			return "removed the empty directory"
		}
		return "deleted" + because(s, journal.Deleted)
	}
	switch s.How {
	case journal.Copy:
		return "copied from " + show(s.From)
	case journal.Touch:
		return "touched"
	case journal.Mkdir:
		return "made the directory"
	}
	return fmt.Sprintf("sent (%s, %v)", size(s.New.Size), s.Reason)
}
