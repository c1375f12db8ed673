package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
)

type approveCmd struct {
	Src       string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	NewSource bool   `group:"safety" help:"Accept that the source is another directory or file system than the one that was snapshotted."`
	selection
}

// Help is the long text of `approve --help`.
func (*approveCmd) Help() string {
	return `It shows the deletes that the last run held, and lets exactly these through at the next run. If the plan
is another one by then, it is held again.

A source that is not the one that was snapshotted (a disk that is not mounted, a directory that was replaced)
needs --new-source. Deletes that then follow are still counted against --max-delete.

Examples:

    snapsync approve ~/work
    snapsync approve --new-source ~/work`
}

// Run implements the command.
func (c *approveCmd) Run(a *app) error {
	return a.withState(&c.selection, c.Src, func(s *session) error {
		if c.NewSource {
			return a.approveSource(s)
		}
		return a.approveHeld(s)
	})
}

// approval is the command line that approves what is held for this mapping and no other, as a shell
// takes it. option is empty or --new-source.
func (m *mapping) approval(option string) string {
	words := []string{"snapsync", "approve", option, shellWord(m.source), "--remote", shellWord(m.remote)}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// advise adds to an error about another source the command that accepts it.
func (m *mapping) advise(err error) error {
	if !errors.Is(err, engine.ErrNewSource) {
		return err
	}
	return &failure{
		status: statusNewSource, err: err,
		hint: "if a disk is not mounted, mount it; if this directory is meant to replace the old one: " + m.approval("--new-source"),
	}
}

// withState runs fn on the mapping that is meant, which is this process's meanwhile.
func (a *app) withState(sel *selection, src string, fn func(*session) error) error {
	m, err := a.choose(sel, src, "")
	if err != nil {
		return err
	}
	s, err := a.open(m)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.close())
}

// steeringJSON is what the commands that steer print with --json.
type steeringJSON struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping"`
	Count   int64  `json:"count"`
	Digest  string `json:"digest,omitempty"`
}

// tell prints the outcome of a command that steers.
func (a *app) tell(s *session, kind string, n int64, digest, text string) error {
	if a.JSON {
		return writeJSON(a.stdout, steeringJSON{kind, s.name, n, digest})
	}
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "snapsync: %s: %s\n", s.mapping, text)
	return err
}

func (a *app) approveSource(s *session) error {
	err := s.journal.Update(func(st *journal.State) { st.NewSourceApproved = true })
	if err != nil {
		return err
	}
	return a.tell(s, "approved-source", 0, "", "the next run accepts the source as it is then")
}

func (a *app) approveHeld(s *session) error {
	state, err := s.journal.State()
	if err != nil {
		return err
	}
	if state.HeldDigest == "" {
		return a.tell(s, "approved", 0, "", "nothing is held")
	}
	n, err := a.showHeld(s)
	if err != nil {
		return err
	}
	err = s.journal.Update(func(st *journal.State) { st.ApprovedDigest = st.HeldDigest })
	if err != nil {
		return err
	}
	return a.tell(s, "approved", n, state.HeldDigest, fmt.Sprintf("%s approved; the next run does exactly these", counted(n, "delete")))
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
