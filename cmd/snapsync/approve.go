package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

type approveCmd struct {
	Src       string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	NewSource bool   `group:"safety" help:"Accept that the source is another directory or file system than the one that was snapshotted."`
	NewRemote bool   `group:"safety" help:"Accept that the remote, on a disk of this machine, is another directory or disk than before."`
	selection
}

// Help is the long text of `approve --help`.
func (*approveCmd) Help() string {
	return `It shows the deletes that are held, and lets exactly these through: now if 'snapsync run' is running, else at the
next run. If the plan is another one by then, it is held again.

A source that is not the one that was snapshotted (a disk that is not mounted, a directory that was replaced)
needs --new-source. Deletes that then follow are still counted against --max-delete.

A remote on a disk that is not mounted is waited for. If that disk was replaced, --new-remote has the next run
compare what is there now with what should be, and send what is missing.

Examples:

    snapsync approve -m work
    snapsync approve ~/work
    snapsync approve --new-source ~/work
    snapsync approve --new-remote ~/work --remote /mnt/disk/work`
}

// Run implements the command.
func (c *approveCmd) Run(a *app) error {
	if c.NewSource || c.NewRemote { // for one mapping at a time: a person has looked at it
		if _, err := a.choose(&c.selection, c.Src, ""); err != nil {
			return err
		}
	}
	return a.each(&c.selection, c.Src, "", func(m *mapping) error {
		ask := func(p *process) error { return a.approveRunning(p, m, c) }
		return a.either(m, ask, func(s *session) error {
			if c.NewSource || c.NewRemote {
				return a.acceptNew(s, c)
			}
			return a.approveHeld(s)
		})
	})
}

// approveRunning has the process that keeps the mapping true let through what is shown here, and
// nothing that came to be held since.
func (a *app) approveRunning(p *process, m *mapping, what *approveCmd) error {
	c := control.Command{Name: control.Approve, NewSource: what.NewSource, NewRemote: what.NewRemote, Mapping: p.id}
	if c.NewSource || c.NewRemote {
		return a.order(p, m, c)
	}
	s, err := m.read()
	if err != nil {
		return err
	}
	state, err := s.journal.State()
	n := int64(0)
	if err == nil && state.HeldDigest != "" {
		n, err = a.showHeld(s)
	}
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	c.Digest = state.HeldDigest
	out, err := p.Do(a.ctx, c)
	if err != nil {
		return asFailure(err)
	}
	return a.answer(m, "approved", n, state.HeldDigest, out.Text)
}

// approval is the command line that approves what is held for this mapping and no other, as a shell
// takes it. option is empty, --new-source or --new-remote.
func (m *mapping) approval(option string) string {
	words := []string{"snapsync", "approve", option, shellWord(m.source), "--remote", shellWord(m.remote)}
	if m.title != "" {
		words = []string{"snapsync", "approve", option, m.handle}
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// nothingToApprove answers who approves where no deletes are held: what mounts hold is kept whatever
// is approved, until the source is accepted as it is.
func (m *mapping) nothingToApprove(state *journal.State) string {
	if state.MountsHeld == 0 {
		return "nothing is held"
	}
	return fmt.Sprintf("%s kept: %s; mount it again, or accept what is there now with: %s",
		counted(state.MountsHeld, "file"), state.MountsWhy, m.approval("--new-source"))
}

// advise adds to an error about another source, or remote, the command that accepts it.
func (m *mapping) advise(err error) error {
	switch {
	case errors.Is(err, engine.ErrNewSource):
		return &exit.Failure{
			Status: exit.StatusNewSource, Err: err,
			Hint: "if a disk is not mounted, mount it; if this directory is meant to replace the old one: " + m.approval("--new-source"),
		}
	case errors.Is(err, remote.ErrNewRemote):
		return &exit.Failure{
			Status: exit.StatusOffline, Err: err,
			Hint: "mount the disk, or make the bucket again, and run again; what is pending is kept. If what is there now is meant to replace it: " + m.approval("--new-remote"),
		}
	}
	return err
}

// accept is what --new-source and --new-remote mean.
func accept(st *journal.State, newSource, newRemote bool) {
	st.NewSourceApproved = st.NewSourceApproved || newSource
	st.NewRemoteApproved = st.NewRemoteApproved || newRemote
}

// accepted says what accept did, to programs and to people.
func accepted(newSource, newRemote bool) (kind, text string) {
	switch {
	case newSource && newRemote:
		return "approved-both", "the next run accepts the source and the remote as they are then"
	case newRemote:
		return "approved-remote", "the next run compares what is there now with what should be, and sends what is missing"
	}
	return "approved-source", "the next run accepts the source as it is then"
}

func (a *app) acceptNew(s *session, c *approveCmd) error {
	if err := s.journal.Update(func(st *journal.State) { accept(st, c.NewSource, c.NewRemote) }); err != nil {
		return err
	}
	kind, text := accepted(c.NewSource, c.NewRemote)
	return a.answer(s.mapping, kind, 0, "", text)
}

func (a *app) approveHeld(s *session) error {
	state, err := s.journal.State()
	if err != nil {
		return err
	}
	if state.HeldDigest == "" {
		return a.answer(s.mapping, "approved", 0, "", s.nothingToApprove(&state))
	}
	n, err := a.showHeld(s)
	if err != nil {
		return err
	}
	err = s.journal.Update(func(st *journal.State) { st.ApprovedDigest = st.HeldDigest })
	if err != nil {
		return err
	}
	return a.answer(s.mapping, "approved", n, state.HeldDigest, fmt.Sprintf("%s approved; the next run does exactly these", counted(n, "delete")))
}

// showHeld lists the first held steps and counts them all.
func (a *app) showHeld(s *session) (n int64, err error) {
	err = s.pending(func(step *journal.Step) error {
		if !step.Held || step.Dir {
			return nil
		}
		n++
		if a.JSON {
			return writeJSON(a.stdout, stepOf(step))
		}
		if n <= 2*maxShown && !a.Quiet {
			fmt.Fprintf(a.stdout, "  %s%s\n", show(step.Path), because(step, journal.Deleted))
		}
		return nil
	})
	if n > 2*maxShown && !a.JSON && !a.Quiet {
		fmt.Fprintf(a.stdout, "  … and %s more\n", count(n-2*maxShown))
	}
	return n, err
}

// pending calls fn for every step in the journal, in order.
func (s *session) pending(fn func(*journal.Step) error) error {
	for after := int64(0); ; {
		page, err := s.journal.Pending(after, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Seq
	}
}
