package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// steerEach has a command carried out on each mapping that is meant, and says what came of it.
func (a *app) steerEach(sel *settings.Selection, src string, c control.Command, kind string) error {
	states, err := a.States()
	if err != nil {
		return err
	}
	return a.Each(sel, src, "", func(m *mapping.Mapping) error {
		out, err := steer.Do(a.Ctx, states, m, c)
		if err != nil {
			return err
		}
		return answer(a.Printer, m, kind, out.Count, c.Digest, out.Text)
	})
}

// goesOn reports whether a command works although the config file is wrong by now: one that looks at, or steers, what
// runs does, since what runs goes on with the file that it read. It knows the mappings by their state then.
func (a *app) goesOn(parsed *kong.Context) bool {
	return settings.IsAbout(parsed, "status", "pause", "resume", "sync", "stop", "retry") && someRun(a.Resolver)
}

// running are the processes of this state directory. silent: there are others, which do not answer.
func running(r *settings.Resolver) (found []*control.Client, silent bool) {
	states, err := r.States()
	if err != nil {
		return nil, false // every command that needs it says so
	}
	return steer.Processes(r.Ctx, states)
}

// keeper is the process that keeps a mapping true; nil: none can be asked.
func keeper(r *settings.Resolver, m *mapping.Mapping) *steer.Process {
	states, err := r.States()
	if err != nil {
		return nil
	}
	return steer.Keeper(r.Ctx, states, m)
}

// someRun reports whether there is a process that answers.
func someRun(r *settings.Resolver) bool {
	found, _ := running(r)
	return len(found) > 0
}

// answer prints the outcome of a command that steers.
func answer(p *console.Printer, m *mapping.Mapping, kind string, n int64, digest, msg string) error {
	if p.JSON {
		return text.WriteJSON(p.Out, text.Steering{Type: kind, Mapping: m.Label(), Count: n, Digest: digest})
	}
	if p.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(p.Out, "snapsync: %s: %s\n", m, msg)
	return err
}
