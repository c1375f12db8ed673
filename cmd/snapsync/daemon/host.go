package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/engine/loop"
)

// Version implements control.Host.
func (d *process) Version() control.Version {
	states, _ := d.States() // it was found when the process began
	return control.Version{
		Snapsync: d.Program, Rclone: rclone.Version(), API: control.API,
		PID: os.Getpid(), Since: d.started.UTC(), StateDir: states.Root,
	}
}

// Status implements control.Host.
func (d *process) Status(_ context.Context, name string) ([]status.Status, error) {
	found, err := d.meant(name)
	if err != nil {
		return nil, err
	}
	out := make([]status.Status, 0, len(found))
	for _, u := range found {
		st, err := u.status()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.label, err)
		}
		out = append(out, st)
	}
	return out, nil
}

// meant are the mappings that a name stands for: all of them if it is empty.
func (d *process) meant(name string) ([]*supervisor, error) {
	all := d.kept.list()
	if name == "" {
		return all, nil
	}
	for _, u := range all {
		if name == u.id() || name == u.spec.Name {
			return []*supervisor{u}, nil
		}
	}
	return nil, control.NoMapping(name)
}

// Do implements control.Host.
func (d *process) Do(ctx context.Context, c control.Command) (control.Outcome, error) {
	out, err := d.do(ctx, c)
	if err == nil || errors.As(err, new(*control.Error)) {
		return out, err
	}
	f := exit.Of(err)
	return out, &control.Error{Code: http.StatusInternalServerError, Message: err.Error(), Remedy: f.Hint, Exit: f.Status}
}

func (d *process) do(ctx context.Context, c control.Command) (out control.Outcome, err error) {
	switch c.Name {
	case control.Stop:
		d.end.halt()
		return control.Outcome{Text: fmt.Sprintf("it ends, within %v", mapping.DrainTime)}, nil
	case control.Reload:
		return d.reload()
	}
	found, err := d.meant(c.Mapping)
	if err != nil {
		return out, err
	}
	if what := onlyForOne(&c); what != "" && len(found) != 1 {
		return out, &control.Error{Code: http.StatusBadRequest, Message: what + " is for one mapping", Remedy: "name it", Exit: exit.StatusUsage}
	}
	// What a person wants of a mapping that is just being started is done a moment later, and not refused.
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	var failed error
	for _, u := range found {
		select {
		case <-u.tried:
		case <-ctx.Done():
		}
		if err := u.do(c, &out); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		out.Mappings = append(out.Mappings, u.id())
	}
	return out, failed
}

// onlyForOne names a command that is not for several mappings at once; "": c is for them.
func onlyForOne(c *control.Command) string {
	switch {
	case c.Name == control.Approve:
		return "approve"
	case len(c.Paths)+len(c.PathsBytes) > 0:
		return "retry of paths"
	}
	return ""
}

// do carries out a command on one mapping and adds to its outcome.
func (u *supervisor) do(c control.Command, out *control.Outcome) (err error) {
	switch c.Name {
	case control.Sync:
		out.Text, out.Cycle = "everything is looked at now", u.cycleAfterNow()
		if u.paused() {
			out.Text = "paused: everything is looked at after 'snapsync resume'"
		}
		u.syncNow()
		return nil
	case control.Retry:
		n, err := u.retry(&c)
		out.Count += n
		out.Text = steer.Retried(out.Count, u.paused())
		return err
	}
	out.Text, err = u.apply(c)
	return err
}

// cycleAfterNow is the number of the first cycle that begins after now; 0: nobody knows.
func (u *supervisor) cycleAfterNow() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.loop == nil {
		return 0
	}
	st := u.loop.Status()
	if working(st.State) {
		return st.Cycles + 2
	}
	return st.Cycles + 1
}

// retry has the paths that failed tried again, or those of them that are named, and counts them.
func (u *supervisor) retry(c *control.Command) (int64, error) {
	paths, err := steer.Paths(c)
	if err != nil {
		return 0, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil || u.loop == nil {
		u.again()
		return 0, u.absent()
	}
	if len(paths) == 0 {
		counts, err := u.session.Journal.Counts()
		if err != nil {
			return 0, err
		}
		return counts.Failed, u.loop.Retry()
	}
	rows, err := u.session.Journal.Failures(steer.EveryFailure)
	if err != nil {
		return 0, err
	}
	return int64(len(loop.FailedAt(rows, paths))), u.loop.RetryPaths(paths)
}

// StartTimeout is how long a command waits for mappings that are being started.
const StartTimeout = 10 * time.Second
