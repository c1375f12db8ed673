package mapping

import (
	"errors"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
)

// Approval returns the command line that approves what is held for this mapping and no other, as a shell
// takes it. option is "", --new-source or --new-remote.
func (m *Mapping) Approval(option string) string {
	words := []string{"snapsync", "approve", option, text.ShellWord(m.Source), "--remote", text.ShellWord(m.Key)}
	if m.Name != "" {
		words = []string{"snapsync", "approve", option, m.Handle}
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// Advise adds to an error about another source, or remote, the command that accepts it.
func (m *Mapping) Advise(err error) error {
	switch {
	case errors.Is(err, engine.ErrNewSource):
		return &exit.Failure{
			Status: exit.StatusNewSource, Err: err,
			Hint: "if a disk is not mounted, mount it; if this directory is meant to replace the old one: " + m.Approval("--new-source"),
		}
	case errors.Is(err, remote.ErrNewRemote):
		return &exit.Failure{
			Status: exit.StatusOffline, Err: err,
			Hint: "mount the disk, or make the bucket again, and run again; what is pending is kept. If what is there now is meant to replace it: " + m.Approval("--new-remote"),
		}
	}
	return err
}
