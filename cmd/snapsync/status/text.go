package status

import (
	"fmt"
	"io"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Write prints a block about a mapping for people.
func Write(w io.Writer, heading string, st *Status, now time.Time) error {
	if _, err := fmt.Fprintln(w, heading); err != nil {
		return err
	}
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	state := st.State
	if st.Since != nil {
		state += ", since " + text.Ago(*st.Since, now)
	}
	row("state", "%s", state)
	if st.Why != "" {
		row("", "%s", st.Why)
	}
	row("mirrored", "%s, %s", text.Counted(st.Files, "file"), text.Size(st.Bytes))
	if st.Retained > 0 {
		row("retained", "%s, %s: not in the source, kept there", text.Counted(st.Retained, "file"), text.Size(st.RetainedBytes))
	}
	if st.Pending > 0 {
		row("pending", "%s, the oldest since %s", text.Counted(st.Pending, "step"), text.AgoOf(st.OldestUnsynced, now))
	}
	writeHeld(row, st)
	if a := st.LastApproval; a != nil {
		by := ""
		if a.By != "" {
			by = " by " + text.Line(a.By)
		}
		row("approved", "%s%s, %s", text.Counted(a.Deletes, "delete"), by, text.Ago(a.At, now))
	}
	writeFailures(row, st, now)
	for i, u := range st.Uploads {
		name := ""
		if i == 0 {
			name = "unfinished"
		}
		row(name, "%s: the remote has %s of %s, since %s", text.Path(u.Path), text.Size(u.Confirmed), text.Size(u.Size), text.Ago(u.Last, now))
	}
	if last := st.Trouble(); last != "" {
		row("last error", "%s", last)
	}
	if st.Live != nil {
		writeLive(row, st.Live, now)
	}
	row("last success", "%s", text.AgoOf(st.LastSuccess, now))
	return nil
}

type rowFunc func(name, format string, args ...any)

// Held counts what waits for a person. What mounts hold are files for which there is no step.
func Held(st *Status) string {
	guarded, files := st.Held-st.HeldByMounts, text.Counted(st.HeldByMounts, "file")
	switch {
	case st.HeldByMounts == 0:
		return text.Counted(guarded, "step")
	case guarded == 0:
		return files
	}
	return text.Counted(guarded, "step") + " and " + files
}

func writeHeld(row rowFunc, st *Status) {
	guarded := st.Held - st.HeldByMounts
	if st.Held > 0 {
		row("held", "%s: %s", Held(st), st.HeldWhy)
	}
	switch {
	case st.Approve == "":
	case guarded > 0 && st.HeldByMounts > 0:
		row("", "mount it again, and approve what is meant: %s", st.Approve)
	case guarded > 0:
		row("", "this shows them and lets them through: %s", st.Approve)
	default: // the source, or a part of it, is not what it was
		row("", "mount it again, or accept what is there now with: %s", st.Approve)
	}
}

func writeFailures(row rowFunc, st *Status, now time.Time) {
	if st.Failed == 0 {
		return
	}
	row("failed", "%s", text.Counted(st.Failed, "path"))
	for _, f := range st.Failures {
		row("", "%s: %s (%s, last %s)", text.Path(f.Path), text.WithoutPath(f.Message, f.Path), text.Counted(f.Tries, "attempt"), text.Ago(f.Last, now))
	}
	if more := st.Failed - int64(len(st.Failures)); more > 0 {
		row("", "… and %s more", text.Count(more))
	}
}

// activeShown is how many transfers have a line of their own.
const activeShown = 8

// writeLive prints what only the running process knows.
func writeLive(row rowFunc, l *Live, now time.Time) {
	if l.Next != nil {
		row("next", "%s", text.Ago(*l.Next, now))
	}
	if l.Hints > 0 {
		row("waiting", "%s to be looked at", text.Counted(int64(l.Hints), "path"))
	}
	for i, t := range l.Transfers {
		name := ""
		if i == 0 {
			name = "transfers"
		}
		if i == activeShown {
			row("", "… and %s more", text.Count(int64(len(l.Transfers)-i)))
			break
		}
		percent := int64(100)
		if t.Size > 0 {
			percent = t.Done * 100 / t.Size
		}
		row(name, "%3d%%  %9s  %s", percent, text.Size(t.Size), text.Path(t.Path))
	}
	if len(l.Transfers) > 0 {
		row("", "%s/s, %s left, at most %s at once", text.Size(l.Rate), text.Size(l.Left), text.Count(int64(l.AtOnce)))
	}
	writeWatch(row, &l.Watch)
	if l.Missed > 0 {
		row("missed", "%s found only by a full scan", text.Counted(l.Missed, "change"))
	}
}

func writeWatch(row rowFunc, w *Watch) {
	if w.Watched+w.Polled == 0 && len(w.Problems) == 0 {
		return
	}
	row("watching", "%s", Watching(w))
	for _, p := range w.Problems {
		row("", "%s", p)
	}
}

// Watching counts what is watched, and what is not.
func Watching(w *Watch) string {
	msg := text.Count(int64(w.Watched)) + " " + text.Plural(int64(w.Watched), "directory", "directories")
	if w.Polled > 0 {
		msg += fmt.Sprintf("; %s looked at now and then", text.Count(int64(w.Polled)))
	}
	if w.Overflows > 0 {
		msg += fmt.Sprintf("; events were lost %s, and everything was looked at", text.Counted(w.Overflows, "time"))
	}
	return msg
}

// Broken is the object of a mapping whose state cannot be read.
type Broken struct {
	Mapping string `json:"mapping"`
	State   string `json:"state"`
	Error   string `json:"error"`
}
