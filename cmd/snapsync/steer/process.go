// Package steer carries out what a person decides about a mapping: approve, pause, resume, retry.
//
// Do asks the process that keeps the mapping true, if one does; the lock says which that is, and where it listens. Else it
// applies the decision to the state on disk itself. Both mean the same: what a person decides is in the journal, and Apply is the only
// code that writes it there. The package prints nothing.
package steer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// askTime is how long a process may take to say who it is or how things stand. One that is stopped, or
// swapped out, does not keep anybody from looking at the disk instead.
const askTime = 3 * time.Second

// Process is a running `snapsync run` that has a mapping.
type Process struct {
	*control.Client
	ID string // what it calls the mapping
}

// Keeper finds the process that keeps the mapping true, or tries to; nil: none does, or it is one that
// cannot be asked, such as a `run --once`.
func Keeper(ctx context.Context, states mapping.Store, m *mapping.Mapping) *Process {
	if h, running := mapping.HolderOf(m.Dir); running {
		if h.Socket == "" {
			return nil
		}
		return &Process{control.NewClient(h.Socket, states.Root), m.ID}
	}
	found, _ := Processes(ctx, states)
	for _, c := range found { // one that waits for the mapping's source, say, has no lock
		reply, err := ask(ctx, c)
		if err != nil {
			continue
		}
		for i := range reply.Mappings {
			if isAbout(m, &reply.Mappings[i]) {
				return &Process{c, reply.Mappings[i].ID}
			}
		}
	}
	return nil
}

// isAbout reports whether st is about this mapping. One whose source was not found yet has no id, and goes by
// its name in the config file, of which there may be several with another remote beneath that name.
func isAbout(m *mapping.Mapping, st *status.Status) bool {
	return st.ID == m.ID || m.Name != "" && st.ID == m.Name && st.Remote == m.Display
}

// Processes are those of this user that have mappings of this state directory. silent: there are others,
// which do not answer and may be among them.
func Processes(ctx context.Context, states mapping.Store) (found []*control.Client, silent bool) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for _, dir := range control.Dirs(states.Root) {
		for _, path := range control.Sockets(dir) {
			c := control.NewClient(path, states.Root)
			v, err := c.Version(ctx)
			if err == nil && v.StateDir == states.Root {
				found = append(found, c)
			}
			silent = silent || errors.Is(err, control.ErrSilent)
		}
	}
	return found, silent
}

// ask asks a process how all its mappings stand.
func ask(ctx context.Context, c *control.Client) (control.StatusReply, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return c.Status(ctx, "")
}

// transition is how long a mapping may be in it: longer than a process needs to drain.
const transition = mapping.DrainTime + 5*time.Second

// Do has a command carried out on a mapping: by the process that keeps it true, or else on its state.
//
// A process that is starting was not there a moment ago and has the lock now; one that is ending has it
// still and does not answer any more. Both are in transition, and so is a transient holder: Do looks
// again, until either way is open. Nobody waits for one that has the lock, does not stay and is not transient, such as a
// `run --once`: that is for the person to decide.
func Do(ctx context.Context, states mapping.Store, m *mapping.Mapping, c control.Command) (control.Outcome, error) {
	for begun := time.Now(); ; {
		if p := Keeper(ctx, states, m); p != nil {
			c.Mapping = p.ID
			if out, err := p.Do(ctx, c); !ended(err) {
				return out, err
			}
		}
		out, err := alone(ctx, m, c)
		if err == nil || exit.Of(err).Status != exit.StatusLocked {
			return out, err
		}
		h, running := mapping.HolderOf(m.Dir)
		if running && h.Socket == "" && !passing(h) || time.Since(begun) > transition {
			return out, err
		}
	}
}

// AwaitKeeper is Keeper that waits for a process that is just taking the mapping, or about to leave it.
func AwaitKeeper(ctx context.Context, states mapping.Store, m *mapping.Mapping) *Process {
	for begun := time.Now(); ; {
		p := Keeper(ctx, states, m)
		h, running := mapping.HolderOf(m.Dir)
		if p != nil || !running || h.Socket == "" && !passing(h) || time.Since(begun) > transition {
			return p
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

// passing reports whether a holder of a mapping that cannot be asked has only just taken it, or ends by itself.
func passing(h mapping.Holder) bool { return h.PID == 0 || h.Transient } // 0: it has not written that yet

// ended reports whether the process that was asked is not there any more, or is about to go.
func ended(err error) bool {
	e := (*control.Error)(nil)
	return errors.Is(err, control.ErrNotRunning) || errors.As(err, &e) && e.Code == http.StatusServiceUnavailable
}

// alone applies a command to a mapping that no process has.
func alone(ctx context.Context, m *mapping.Mapping, c control.Command) (control.Outcome, error) {
	s, err := m.Open(ctx, mapping.Holder{Transient: true})
	if err != nil {
		return control.Outcome{}, err
	}
	out, err := Apply(s, c, false)
	return out, errors.Join(err, s.Close())
}
