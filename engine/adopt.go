package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// plan.adopt builds the base from one listing of the remote. It runs once in the life of a mapping, or
// again when its journal was lost: what another tool or an earlier life has put there is compared by
// the next look, and not sent again.
//
// A crash in the middle leaves no base at all, and the next run lists again. A listing that fails in
// the middle leaves none either: a partial listing would make files look absent.
func (e *Engine) adopt(ctx context.Context) error {
	if err := e.connect(ctx); err != nil {
		return err
	}
	e.phase("listing the remote")
	err := e.cfg.Journal.Adopt(ctx, func(add func(path string, entry snapshot.Entry) error) error {
		return e.conn.List(ctx, func(r remote.Object) error {
			return add(r.Path, e.adopted(&r))
		})
	})
	if err != nil {
		return fmt.Errorf("adopt what the remote holds: %w", err)
	}
	return nil
}

// adopted is how the base records what the remote says of itself. A remote that keeps no mtimes at
// least tells when it was written to; where a listing alone does not give the mtime, it stays 0.
func (e *Engine) adopted(r *remote.Object) snapshot.Entry {
	entry := r.Entry
	entry.Flags |= snapshot.Adopted
	if e.caps.Precision <= 0 && !r.Uploaded.IsZero() {
		entry.Mtime = r.Uploaded.UnixNano()
	}
	return entry
}
