package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// adopt builds the base from one listing of the remote. It runs once in the life of a mapping, or
// again when its journal was lost: what another tool or an earlier life has put there is compared by
// the next scan, and not sent again.
//
// A crash in the middle leaves no base at all, and the next run lists again. A listing that fails in
// the middle leaves none either: a partial listing would make files look absent.
func (r *run) adopt(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	r.phase("listing the remote")
	err := r.cfg.Journal.Adopt(ctx, func(add func(path string, entry snapshot.Entry) error) error {
		return r.conn.List(ctx, func(there remote.Object) error {
			return add(there.Path, there.Adopted(&r.caps))
		})
	})
	if err != nil {
		return fmt.Errorf("adopt what the remote holds: %w", err)
	}
	r.state.Adopted = true
	return nil
}
