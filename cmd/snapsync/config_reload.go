package main

import (
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type configReloadCmd struct{}

// Help is the long text of `config reload --help`.
func (*configReloadCmd) Help() string {
	return `Every 'snapsync run' of this user and state directory reads the config file again, as SIGHUP has it do. Mappings that
did not change go on undisturbed; of the keys of the process those are named that need a restart. If the file is wrong,
everything goes on as before.

Example:

    snapsync config edit && snapsync config reload`
}

// reloadedJSON is what `config reload --json` prints of each process.
type reloadedJSON struct {
	Type string `json:"type"`
	PID  int    `json:"pid"`
	control.Outcome
}

// Run implements the command.
func (c *configReloadCmd) Run(w *world) error {
	running, silent := running(w.Resolver)
	switch {
	case len(running) > 0:
	case silent:
		return control.ErrSilent
	default:
		return &exit.Failure{Status: exit.StatusError, Err: errors.New("nothing is running"), Hint: "'snapsync run' reads the config file when it starts"}
	}
	for _, p := range running {
		v, err := p.Version(w.Ctx)
		var out control.Outcome
		if err == nil {
			out, err = p.Do(w.Ctx, control.Command{Name: control.Reload})
		}
		if err != nil {
			return err
		}
		if err := c.tell(w, reloadedJSON{"reloaded", v.PID, out}); err != nil {
			return err
		}
	}
	return nil
}

func (*configReloadCmd) tell(w *world, r reloadedJSON) error {
	switch {
	case w.JSON:
		return text.WriteJSON(w.Out, r)
	case w.Quiet:
		return nil
	}
	_, err := fmt.Fprintf(w.Out, "snapsync: process %d: %s\n", r.PID, r.Text)
	return err
}
