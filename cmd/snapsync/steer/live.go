package steer

import (
	"context"
	"errors"
	"log/slog"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// Live asks the running processes, each of them once, and finds the mappings whose process does not
// answer. The results are by the mappings' names.
func Live(ctx context.Context, states mapping.Store, found []*mapping.Mapping, log *slog.Logger) (live map[string]*status.Status, silent map[string]bool) {
	live, silent = map[string]*status.Status{}, map[string]bool{}
	ask := func(p *control.Client) error {
		reply, err := ask(ctx, p)
		if err != nil {
			log.Debug("status", "socket", p.Path(), "err", err)
			return err
		}
		for i := range reply.Mappings {
			st := &reply.Mappings[i]
			for _, m := range found {
				if isAbout(m, st) {
					st.Mapping = m.Label()
					live[m.ID] = st
				}
			}
		}
		return nil
	}
	running, _ := Processes(ctx, states)
	for _, p := range running {
		_ = ask(p) // the disk tells instead
	}
	for _, m := range found { // one that listens where nobody looks
		if h, running := mapping.HolderOf(m.Dir); running && h.Socket != "" && live[m.ID] == nil {
			silent[m.ID] = errors.Is(ask(control.NewClient(h.Socket, states.Root)), control.ErrSilent)
		}
	}
	return live, silent
}
