package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// A command that steers a mapping goes to the process that keeps it true, if one does; the lock says
// which that is, and where it listens. Else the command changes the state on disk itself. Both mean the
// same: what a person decides is in the journal.

// askTime is how long a process may take to say who it is or how things stand. One that is stopped, or
// swapped out, does not keep anybody from looking at the disk instead.
const askTime = 3 * time.Second

// process is a running `snapsync run` that has a mapping.
type process struct {
	*control.Client
	id string // what it calls the mapping
}

// process finds the one that keeps the mapping true, or tries to; nil: none does, or it is one that
// cannot be asked, such as a `run --once`.
func (a *app) process(m *mapping) *process {
	if h, running := lockHolder(m.dir); running {
		if h.socket == "" {
			return nil
		}
		return &process{control.NewClient(h.socket), m.name}
	}
	for _, c := range a.processes() { // one that waits for the mapping's source, say, has no lock
		reply, err := a.ask(c)
		if err != nil {
			continue
		}
		for i := range reply.Mappings {
			if m.is(&reply.Mappings[i]) {
				return &process{c, reply.Mappings[i].ID}
			}
		}
	}
	return nil
}

// is reports whether st is about this mapping. One whose source was not found yet has no id: it goes by
// its name in the config file, of which there may be several with another remote beneath that name.
func (m *mapping) is(st *control.Status) bool {
	return st.ID == m.name || m.title != "" && st.ID == m.title && st.Remote == m.display
}

// processes are those of this user that have mappings of this state directory.
func (a *app) processes() []*control.Client {
	found, _ := a.callProcesses()
	return found
}

// callProcesses is processes. silent: there are others, which do not answer and may be among them.
func (a *app) callProcesses() (found []*control.Client, silent bool) {
	ctx, cancel := context.WithTimeout(a.ctx, askTime)
	defer cancel()
	states, err := a.store()
	if err != nil {
		return nil, false // every command that needs it says so
	}
	for _, dir := range socketDirs(states.root) {
		for _, path := range control.Sockets(dir) {
			c := control.NewClient(path)
			v, err := c.Version(ctx)
			if err == nil && v.StateDir == states.root {
				found = append(found, c)
			}
			silent = silent || errors.Is(err, control.ErrSilent)
		}
	}
	return found, silent
}

// ask asks a process how all its mappings stand.
func (a *app) ask(c *control.Client) (control.StatusReply, error) {
	ctx, cancel := context.WithTimeout(a.ctx, askTime)
	defer cancel()
	return c.Status(ctx, "")
}

// steer carries out a command on the mappings that are meant: by the process that has them, else by fn
// on the state, which is this process's meanwhile.
func (a *app) steer(sel *selection, src string, c control.Command, fn func(*session) error) error {
	return a.each(sel, src, "", func(m *mapping) error {
		return a.either(m, func(p *process) error { return a.order(p, m, c) }, fn)
	})
}

// steerPatience is how long a mapping may be in transition: longer than a process needs to drain.
const steerPatience = drainTime + 5*time.Second

// either has the process do it that keeps the mapping true, or else fn, on the state.
//
// A process that is starting was not there a moment ago and has the lock now; one that is ending has it
// still and does not answer any more. Both are in transition, and so is one that is brief: it is looked
// again, until either way is open. One that has the lock, does not stay and is not brief, a `run --once` say, is
// waited for by nobody: that is for the person to decide.
func (a *app) either(m *mapping, ask func(*process) error, fn func(*session) error) error {
	for begun := time.Now(); ; {
		if p := a.process(m); p != nil {
			if err := ask(p); !ended(err) {
				return err
			}
		}
		err := a.alone(m, fn)
		if err == nil || exit.Of(err).Status != exit.StatusLocked {
			return err
		}
		h, running := lockHolder(m.dir)
		passing := !running || h.pid == 0 || h.socket != "" || h.brief // 0: it has not written that yet
		if !passing || time.Since(begun) > steerPatience {
			return err
		}
	}
}

// ended reports whether the process that was asked is not there any more, or is about to go.
func ended(err error) bool {
	e := (*control.Error)(nil)
	return errors.Is(err, control.ErrNotRunning) || errors.As(err, &e) && e.Code == http.StatusServiceUnavailable
}

// alone runs fn on a mapping that no process has.
func (a *app) alone(m *mapping, fn func(*session) error) error {
	s, err := m.openAs(a.ctx, holder{brief: true})
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.close())
}

// steered are the words of the objects that commands which steer print.
var steered = map[string]string{
	control.Sync: "sync", control.Pause: "paused", control.Resume: "resumed", control.Retry: "retry", control.Approve: "approved",
}

// order has a process carry out a command and prints what it answers.
func (a *app) order(p *process, m *mapping, c control.Command) error {
	c.Mapping = p.id
	out, err := p.Do(a.ctx, c)
	if err != nil {
		return asFailure(err)
	}
	kind := steered[c.Name]
	if c.NewSource || c.NewRemote {
		kind, _ = accepted(c.NewSource, c.NewRemote)
	}
	return a.answer(m, kind, out.Count, c.Digest, out.Text)
}

// asFailure makes what a process answered an error of this one.
func asFailure(err error) error {
	e := (*control.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	status := e.Exit
	if status == exit.StatusOK {
		status = exit.StatusError
	}
	return &exit.Failure{Status: status, Err: err, Hint: e.Remedy}
}

// steeringJSON is what the commands that steer print with --json.
type steeringJSON struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping"`
	Count   int64  `json:"count"`
	Digest  string `json:"digest,omitempty"`
}

// answer prints the outcome of a command that steers.
func (a *app) answer(m *mapping, kind string, n int64, digest, text string) error {
	if a.JSON {
		return writeJSON(a.stdout, steeringJSON{kind, m.label(), n, digest})
	}
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "snapsync: %s: %s\n", m, text)
	return err
}
