package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/loop"
)

type syncCmd struct {
	Src     string        `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	Wait    bool          `group:"output" short:"w" config:"-" help:"Return when it is done, with the status that 'run --once' would have."`
	Timeout time.Duration `group:"output" config:"-" placeholder:"TIME" help:"With --wait: give up after this long. Default: never."`
	settings.Selection
}

// Help is the long text of `sync --help`.
func (*syncCmd) Help() string {
	return `A running 'snapsync run' looks at everything now, instead of waiting for an event or its next scan, and asks a
remote that was away again. Where nothing is running, 'snapsync run --once' does the same.

Examples:

    snapsync sync
    snapsync sync -m work --wait && echo all is there`
}

// Run implements the command.
func (c *syncCmd) Run(w *world) error {
	return w.Each(&c.Selection, c.Src, "", func(m *mapping.Mapping) error {
		p := keeper(w.Resolver, m)
		if p == nil {
			return notRunning(m)
		}
		out, err := p.Do(w.Ctx, control.Command{Name: control.Sync, Mapping: p.ID})
		if errors.Is(err, control.ErrNotRunning) {
			return notRunning(m)
		}
		if err != nil {
			return err
		}
		text := out.Text
		if c.Wait {
			if err := c.await(w, p, out.Cycle); err != nil {
				return err
			}
			text = "done"
		}
		return answer(w.Printer, m, "sync", 0, "", text)
	})
}

// notRunning says what to do about a mapping that no process keeps true.
func notRunning(m *mapping.Mapping) error {
	if h, running := mapping.HolderOf(m.Dir); running {
		return mapping.LockedBy(h)
	}
	way := fmt.Sprintf("snapsync run --once %s --remote %s", text.ShellWord(m.Source), text.ShellWord(m.Key))
	if m.Name != "" {
		way = "snapsync run --once " + m.Handle
	}
	return &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("nothing keeps %s up to date now", m), Hint: "this brings it up to date: " + way}
}

// awaitEvery is the time between two looks at a sync that is waited for.
const awaitEvery = 150 * time.Millisecond

// await returns when a cycle that began after the command has ended, or cannot.
func (c *syncCmd) await(w *world, p *steer.Process, cycle int64) error {
	ctx := w.Ctx
	if c.Timeout > 0 {
		timed, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		ctx = timed
	}
	for {
		reply, err := p.Status(ctx, p.ID)
		if err != nil {
			if ctx.Err() != nil {
				return c.late(w, ctx.Err())
			}
			return err
		}
		if len(reply.Mappings) == 1 {
			if done, err := awaited(&reply.Mappings[0], cycle); done {
				return err
			}
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return c.late(w, ctx.Err())
		}
	}
}

func (c *syncCmd) late(w *world, err error) error {
	if w.Ctx.Err() != nil {
		return w.Ctx.Err()
	}
	return &exit.Failure{
		Status: exit.StatusTemporary, Err: fmt.Errorf("not done within %v: %w", c.Timeout, err), Hint: "'snapsync status' shows what it is doing",
	}
}

// awaited reports whether there is nothing more to wait for, and how that ended.
func awaited(st *status.Status, cycle int64) (done bool, err error) {
	ended := st.Live != nil && st.Live.Cycles >= cycle && cycle > 0
	state := loop.State(st.State)
	switch {
	case state == loop.Paused && !st.Paused: // it was resumed, and is about to see that
		return false, nil
	case state == loop.Paused:
		return true, &exit.Failure{Status: exit.StatusTemporary, Err: errors.New("paused"), Hint: "'snapsync resume' goes on"}
	case !ended, state == loop.Scanning, state == loop.Syncing:
		return false, nil
	case state == loop.Offline:
		return true, &exit.Failure{Status: exit.StatusOffline, Err: errors.New(cmp.Or(st.LastError, "the remote cannot be reached")), Hint: st.Why}
	case state == loop.Held && st.Held == 0: // by the source itself
		return true, &exit.Failure{Status: exit.StatusNewSource, Err: errors.New(cmp.Or(st.LastError, "held")), Hint: st.Why}
	case state == loop.Stopped:
		return true, &exit.Failure{Status: exit.StatusError, Err: errors.New(st.LastError), Hint: st.Why}
	case state == loop.Held:
		return true, &exit.Failure{Status: exit.StatusHeld, Err: fmt.Errorf("%s held: %s", status.Held(st), st.HeldWhy), Hint: st.Why}
	case st.Failed > 0:
		return true, &exit.Failure{Status: exit.StatusPartial, Err: errors.New(text.Counted(st.Failed, "path") + " failed"), Hint: "'snapsync status' lists them"}
	}
	return st.Pending == 0, nil
}

type stopCmd struct{}

// Help is the long text of `stop --help`.
func (*stopCmd) Help() string {
	return `Every 'snapsync run' of this user and state directory ends, within ten seconds: uploads that are nearly done may end,
the rest is continued by the next run. A service manager may start it again: use 'snapsync service stop' there.

Example:

    snapsync stop`
}

// Run implements the command.
func (c *stopCmd) Run(w *world) error {
	running, silent := running(w.Resolver)
	if len(running) == 0 && silent {
		return control.ErrSilent
	}
	if len(running) == 0 {
		return &exit.Failure{Status: exit.StatusError, Err: errors.New("nothing is running"), Hint: "'snapsync status' shows the mappings"}
	}
	for _, p := range running {
		v, err := p.Version(w.Ctx)
		if err == nil {
			_, err = p.Do(w.Ctx, control.Command{Name: control.Stop})
		}
		if err != nil {
			return err
		}
		if err := c.tell(w, v.PID); err != nil {
			return err
		}
	}
	return nil
}

func (*stopCmd) tell(w *world, pid int) error {
	switch {
	case w.JSON:
		return text.WriteJSON(w.Out, struct {
			Type string `json:"type"`
			PID  int    `json:"pid"`
		}{"stop", pid})
	case w.Quiet:
		return nil
	}
	_, err := fmt.Fprintf(w.Out, "snapsync: process %d ends\n", pid)
	return err
}
