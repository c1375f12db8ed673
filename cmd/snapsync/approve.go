package main

import (
	"errors"
	"fmt"
	"os/user"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

type approveCmd struct {
	Src       string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	NewSource bool   `group:"safety" help:"Accept that the source is another directory or file system than the one that was snapshotted."`
	NewRemote bool   `group:"safety" help:"Accept that the remote, on a disk of this machine, is another directory or disk than before."`
	Show      bool   `short:"n" group:"safety" xor:"show" help:"Only show what is held."`
	Yes       bool   `short:"y" group:"safety" xor:"show" help:"Do not ask, also on a terminal."`
	settings.Selection
}

// Help is the long text of `approve --help`.
func (*approveCmd) Help() string {
	return `It shows the deletes that are held, asks, and lets exactly these through: now if 'snapsync run' is running, else at
the next run. If the plan is another one by then, it is held again. Without a terminal nothing is asked, as with
--yes; with --show nothing is let through. 'snapsync status' says who approved last.

A source that is not the one that was snapshotted (a disk that is not mounted, a directory that was replaced)
needs --new-source. Deletes that then follow are still counted against --max-delete.

A remote on a disk that is not mounted is waited for. If that disk was replaced, --new-remote has the next run
compare what is there now with what should be, and send what is missing.

Examples:

    snapsync approve --show -m work
    snapsync approve -m work
    snapsync approve --yes ~/work
    snapsync approve --new-source ~/work
    snapsync approve --new-remote ~/work --remote /mnt/disk/work`
}

// Run implements the command.
func (c *approveCmd) Run(w *world) error {
	if c.Show && (c.NewSource || c.NewRemote) {
		return exit.Usage("'snapsync status' says what is different", "--show is for the deletes that are held")
	}
	if c.NewSource || c.NewRemote { // for one mapping at a time: a person has looked at it
		if _, err := w.Choose(&c.Selection, c.Src, ""); err != nil {
			return err
		}
	}
	return w.Each(&c.Selection, c.Src, "", func(m *mapping.Mapping) error { return c.one(w, m) })
}

// one lets through what is shown here of a mapping, and nothing that came to be held since.
func (c *approveCmd) one(w *world, m *mapping.Mapping) error {
	states, err := w.States()
	if err != nil {
		return err
	}
	ask := control.Command{Name: control.Approve, NewSource: c.NewSource, NewRemote: c.NewRemote, By: userName()}
	if c.NewSource || c.NewRemote {
		out, err := steer.Do(w.Ctx, states, m, ask)
		if err != nil {
			return err
		}
		return answer(w.Printer, m, c.kind(), 0, "", out.Text)
	}
	n, held, err := showHeld(w.Printer, m)
	if err != nil {
		return err
	}
	ask.Digest = held.HeldDigest
	switch {
	case c.Show && ask.Digest != "":
		return answer(w.Printer, m, "held", n, ask.Digest, text.Counted(n, "delete")+" held; nothing was let through")
	case ask.Digest == "": // and nothing is asked for: what comes to be held now was not shown
		return answer(w.Printer, m, "approved", 0, "", steer.NothingToApprove(m, &held))
	}
	if err := c.confirm(w, n); err != nil {
		return err
	}
	out, err := steer.Do(w.Ctx, states, m, ask)
	if err != nil {
		return err
	}
	return answer(w.Printer, m, "approved", n, ask.Digest, text.Counted(n, "delete")+" "+out.Text)
}

// confirm returns nil if what was shown is to go: a person at a terminal is asked, a script has decided.
func (c *approveCmd) confirm(w *world, n int64) error {
	if c.Yes || w.JSON || !w.Interactive() {
		return nil
	}
	yes, err := console.NewAsker(w.Ctx, w.Out).Confirm("Delete "+text.Counted(n, "file")+" on the remote?", "Everything else of the plan is done anyway.", false)
	if err == nil && !yes {
		err = &exit.Failure{
			Status: exit.StatusHeld, Err: errors.New("nothing was let through"),
			Hint: "what is held stays held until it is approved, or back in the source",
		}
	}
	return err
}

// userName is who runs this process; "": that cannot be told.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// kind is the word for programs.
func (c *approveCmd) kind() string {
	switch {
	case c.NewSource && c.NewRemote:
		return "approved-both"
	case c.NewRemote:
		return "approved-remote"
	}
	return "approved-source"
}

// showHeld lists the first held steps of a mapping, counts them all and returns what holds them.
func showHeld(p *console.Printer, m *mapping.Mapping) (n int64, held journal.Holds, err error) {
	s, err := m.Read()
	if err != nil {
		return 0, held, err
	}
	defer s.Close()
	state, err := s.Journal.State()
	if err != nil || state.HeldDigest == "" {
		return 0, state.Holds, err
	}
	err = s.Pending(func(step *journal.Step) error {
		if !step.Held || step.Dir {
			return nil
		}
		n++
		if p.JSON {
			return text.WriteJSON(p.Out, text.NewStep(step))
		}
		if n <= 2*text.MaxShown && !p.Quiet {
			fmt.Fprintf(p.Out, "  %s%s\n", text.Path(step.Path), text.Because(step, journal.Deleted))
		}
		return nil
	})
	if n > 2*text.MaxShown && !p.JSON && !p.Quiet {
		fmt.Fprintf(p.Out, "  … and %s more\n", text.Count(n-2*text.MaxShown))
	}
	return n, state.Holds, err
}
