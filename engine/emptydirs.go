package engine

import (
	"context"

	"github.com/snapsync/snapsync/engine/base"
	"github.com/snapsync/snapsync/snapshot"
)

// wantEmptyDirs makes turning on --create-empty-src-dirs count for what is already known. Without it
// the base has directories that hold no files as identities only: they are forgotten once, and so
// planned as new. A crash in between does it again.
func (r *run) wantEmptyDirs(ctx context.Context) error {
	if r.cfg.EmptyDirs == r.state.EmptyDirs {
		return nil
	}
	if r.cfg.EmptyDirs {
		if err := base.ForgetEmptyDirs(ctx, r.cfg.Journal); err != nil {
			return err
		}
	}
	r.state.EmptyDirs = r.cfg.EmptyDirs
	return r.save()
}

// baseToBe is the base as wantEmptyDirs would leave it, without writing anything.
func (r *run) baseToBe(ctx context.Context) (snapshot.Base, error) {
	if !r.cfg.EmptyDirs || r.state.EmptyDirs {
		return r.cfg.Journal, nil
	}
	forgotten, err := base.EmptyDirs(ctx, r.cfg.Journal)
	if err != nil || len(forgotten) == 0 {
		return r.cfg.Journal, err
	}
	return base.Without{Base: r.cfg.Journal, Dirs: forgotten}, nil
}
