package steer

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

// Apply writes what a person decides into the journal, where run and loop read it. running says that a process
// stays which does so at once; it only changes the words.
func Apply(s *mapping.Session, c control.Command, running bool) (out control.Outcome, err error) {
	var change func(*journal.Decisions) error
	switch c.Name {
	case control.Pause:
		change = func(d *journal.Decisions) error { d.Paused = true; return nil }
		out.Text = choice(running, "paused: nothing is done until 'snapsync resume'", "paused: runs do nothing until 'snapsync resume'")
	case control.Resume:
		change = func(d *journal.Decisions) error { d.Paused = false; return nil }
		out.Text = choice(running, "resumed: it catches up now", "resumed: the next run catches up")
	case control.Approve:
		change = func(d *journal.Decisions) error {
			state, err := s.Journal.State() // of this moment: nothing is written meanwhile
			if err != nil {
				return err
			}
			counts, err := s.Journal.Counts()
			if err != nil {
				return err
			}
			before := d.ApprovedDigest
			err = approve(s.Mapping, d, &state.Holds, c, running, &out)
			if err == nil && d.ApprovedDigest != "" && d.ApprovedDigest != before {
				d.LastApproval = journal.Approval{By: c.By, At: time.Now(), Deletes: counts.Held}
			}
			return err
		}
	default:
		return out, &control.Error{Code: http.StatusNotFound, Message: "there is no command " + c.Name}
	}
	var refused error
	err = journal.Update(s.Journal, func(d *journal.Decisions) { refused = change(d) })
	return out, errors.Join(refused, err)
}

func choice(first bool, one, other string) string {
	if first {
		return one
	}
	return other
}

// approve lets through what is held: exactly the deletes that the person has seen, or another source or remote.
func approve(m *mapping.Mapping, d *journal.Decisions, held *journal.Holds, c control.Command, running bool, out *control.Outcome) error {
	switch {
	case c.NewSource || c.NewRemote:
		d.NewSourceApproved = d.NewSourceApproved || c.NewSource
		d.NewRemoteApproved = d.NewRemoteApproved || c.NewRemote
		out.Text = acceptedText(c)
	case held.HeldDigest == "":
		out.Text = NothingToApprove(m, held)
	case c.Digest != "" && c.Digest != held.HeldDigest:
		return &control.Error{
			Code: http.StatusConflict, Message: "what is held has changed meanwhile: nothing was approved",
			Remedy: "look at it again", Exit: exit.StatusHeld,
		}
	default:
		d.ApprovedDigest = held.HeldDigest
		out.Text = choice(running, "approved: exactly these are done now", "approved; the next run does exactly these")
	}
	return nil
}

func acceptedText(c control.Command) string {
	switch {
	case c.NewSource && c.NewRemote:
		return "the next run accepts the source and the remote as they are then"
	case c.NewRemote:
		return "the next run compares what is there now with what should be, and sends what is missing"
	}
	return "the next run accepts the source as it is then"
}

// NothingToApprove answers who approves where no deletes are held: what mounts hold is kept whatever
// is approved, until the source is accepted as it is.
func NothingToApprove(m *mapping.Mapping, held *journal.Holds) string {
	if held.MountsHeld == 0 {
		return "nothing is held"
	}
	return fmt.Sprintf("%s kept: %s; mount it again, or accept what is there now with: %s",
		text.Counted(held.MountsHeld, "file"), held.MountsWhy, m.Approval("--new-source"))
}
