package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type statusCmd struct {
	Src   string `arg:"" optional:"" help:"Only the mappings of this source."`
	Watch bool   `group:"output" short:"w" config:"-" help:"Stay and show what changes: in place on a terminal, as lines elsewhere."`
	settings.Selection
}

// Help is the long text of `status --help`.
func (*statusCmd) Help() string {
	return `Without a name, a source or a remote, all mappings are shown: those of the config file and those of the state
directory. The remote is not asked; a running 'snapsync run' is, for what only it knows. 'snapsync forget' takes a
mapping that is over off the list.

States: idle (all is synced), scanning, syncing, offline (the remote could not be reached), held (a person
must approve deletes), paused, stopped (something is pending and nothing is running).

Examples:

    snapsync status
    snapsync status -m work
    snapsync status ~/work
    snapsync status --watch
    snapsync status --json | jq .oldest_unsynced`
}

// Run implements the command.
func (c *statusCmd) Run(a *world) error {
	if c.Watch {
		return c.watch(a)
	}
	return c.show(a, a.Out)
}

// standings is how the mappings stand that are meant; a mapping whose state cannot be read has an error.
type standing struct {
	mapping *mapping.Mapping
	status  *status.Status
	err     error
}

func (c *statusCmd) look(a *world) ([]standing, error) {
	found, err := a.Candidates(&c.Selection, c.Src)
	if err != nil {
		return nil, err
	}
	states, err := a.States()
	if err != nil {
		return nil, err
	}
	live, silent := steer.Live(a.Ctx, states, found, a.Log)
	all := make([]standing, 0, len(found))
	for _, m := range found {
		if st := live[m.ID]; st != nil {
			all = append(all, standing{mapping: m, status: st})
			continue
		}
		st, err := status.Of(m)
		if silent[m.ID] && st != nil {
			st.Why = fmt.Sprintf("this is what the disk says: process %d, which keeps it, does not answer; 'kill -CONT' if it was stopped, "+
				"else 'kill -9' and a new start lose nothing", st.PID)
		}
		all = append(all, standing{m, st, err})
	}
	return all, nil
}

// show prints how things stand once.
func (c *statusCmd) show(a *world, w io.Writer) error {
	all, err := c.look(a)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return c.none(a, w)
	}
	var broken error
	for i, one := range all {
		if i > 0 && !a.JSON {
			fmt.Fprintln(w)
		}
		if err := one.write(a, w); err != nil {
			return err
		}
		broken = errors.Join(broken, one.err) // the others stand as they do
	}
	return broken
}

func (s *standing) write(a *world, w io.Writer) error {
	switch {
	case s.err != nil && a.JSON:
		return text.WriteJSON(w, status.Broken{Mapping: s.mapping.Label(), State: "stopped", Error: s.err.Error()})
	case s.err != nil:
		_, err := fmt.Fprintf(w, "%s\n  %-13s stopped: its state cannot be read\n  %-13s %v\n", s.mapping, "state", "error", s.err)
		return err
	case a.JSON:
		return text.WriteJSON(w, s.status)
	}
	return status.Write(w, s.mapping.String(), s.status, time.Now())
}

func (c *statusCmd) none(a *world, w io.Writer) error {
	if c.Src+c.Source+c.Remote+c.Mapping != "" {
		return settings.NoMapping(&c.Selection, c.Src, "'snapsync status' lists those that exist")
	}
	if a.JSON {
		return nil
	}
	_, err := fmt.Fprintln(w, "no mappings yet: 'snapsync config init' or 'snapsync run --once SRC --remote REMOTE' makes one")
	return err
}

// statusLines prints a mapping again when something about it has changed.
type statusLines struct {
	cmd  *statusCmd
	said map[string]string // by mapping
}

func (l *statusLines) show(a *world) error {
	all, err := l.cmd.look(a)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.news() == l.said[one.mapping.ID] {
			continue
		}
		l.said[one.mapping.ID] = one.news()
		if a.JSON {
			err = one.write(a, a.Out)
		} else {
			_, err = fmt.Fprintf(a.Out, "%s  %s: %s\n", text.Time(time.Now()), one.mapping, one.news())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// news is what is worth a line when it changes.
func (s *standing) news() string {
	if s.err != nil {
		return "stopped: " + s.err.Error()
	}
	st := s.status
	msg := st.State
	for _, part := range []struct {
		what string
		n    int64
	}{{"pending", st.Pending}, {"held", st.Held}, {"failed", st.Failed}} {
		if part.n > 0 {
			msg += fmt.Sprintf(", %s %s", text.Count(part.n), part.what)
		}
	}
	if st.LastError != "" {
		msg += ": " + st.LastError
	}
	return msg
}
