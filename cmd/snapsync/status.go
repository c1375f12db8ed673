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
func (c *statusCmd) Run(w *world) error {
	if c.Watch {
		return c.watch(w)
	}
	return c.show(w, w.Out)
}

// standing is how a mapping stands; err: its state cannot be read.
type standing struct {
	mapping *mapping.Mapping
	status  *status.Status
	err     error
}

func (c *statusCmd) look(w *world) ([]standing, error) {
	found, err := w.Candidates(&c.Selection, c.Src)
	if err != nil {
		return nil, err
	}
	states, err := w.States()
	if err != nil {
		return nil, err
	}
	live, silent := steer.Live(w.Ctx, states, found, w.Log)
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
func (c *statusCmd) show(w *world, out io.Writer) error {
	all, err := c.look(w)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return c.none(w, out)
	}
	var broken error
	for i, one := range all {
		if i > 0 && !w.JSON {
			fmt.Fprintln(out)
		}
		if err := one.write(w, out); err != nil {
			return err
		}
		broken = errors.Join(broken, one.err) // the others stand as they do
	}
	return broken
}

func (s *standing) write(w *world, out io.Writer) error {
	switch {
	case s.err != nil && w.JSON:
		return text.WriteJSON(out, status.Broken{Mapping: s.mapping.Label(), State: "stopped", Error: s.err.Error()})
	case s.err != nil:
		_, err := fmt.Fprintf(out, "%s\n  %-13s stopped: its state cannot be read\n  %-13s %v\n", s.mapping, "state", "error", s.err)
		return err
	case w.JSON:
		return text.WriteJSON(out, s.status)
	}
	return status.Write(out, s.mapping.String(), s.status, time.Now())
}

func (c *statusCmd) none(w *world, out io.Writer) error {
	if c.Src+c.Source+c.Remote+c.Mapping != "" {
		return settings.NoMapping(&c.Selection, c.Src, "'snapsync status' lists those that exist")
	}
	if w.JSON {
		return nil
	}
	_, err := fmt.Fprintln(out, "no mappings yet: 'snapsync config init' or 'snapsync run --once SRC --remote REMOTE' makes one")
	return err
}

// statusLines prints a mapping again when something about it has changed.
type statusLines struct {
	cmd  *statusCmd
	said map[string]string // by mapping
}

func (l *statusLines) show(w *world) error {
	all, err := l.cmd.look(w)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.news() == l.said[one.mapping.ID] {
			continue
		}
		l.said[one.mapping.ID] = one.news()
		if w.JSON {
			err = one.write(w, w.Out)
		} else {
			_, err = fmt.Fprintf(w.Out, "%s  %s: %s\n", text.Time(time.Now()), one.mapping, one.news())
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
