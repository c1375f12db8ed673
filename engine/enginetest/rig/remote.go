package rig

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Every makes all operations of a name fail.
func Every(name string, fault enginetest.Fault) func(enginetest.Op) *enginetest.Fault {
	return func(op enginetest.Op) *enginetest.Fault {
		if op.Name != name {
			return nil
		}
		return &fault
	}
}

// Cut takes the remote away with the first operation of a name, which may still have been applied.
func Cut(name string, when enginetest.When) func(enginetest.Op) *enginetest.Fault {
	away := false
	return func(op enginetest.Op) *enginetest.Fault {
		switch {
		case away:
			return &enginetest.Fault{Err: remote.ErrOffline}
		case op.Name != name:
			return nil
		}
		away = true
		return &enginetest.Fault{When: when, Err: remote.ErrOffline}
	}
}

// Wrapped lets a test stand between the engine and the remote; what is nil does nothing.
type Wrapped struct {
	remote.Connection
	sent     func(path string)       // after a file was sent
	list     func(*remote.Object)    // changes what a listing says
	OnDelete func(path string) error // refuses a delete
}

func (w *Wrapped) Send(ctx context.Context, path string, src remote.Source) error {
	err := w.Connection.Send(ctx, path, src)
	if err == nil && w.sent != nil {
		w.sent(path)
	}
	return err
}

func (w *Wrapped) List(ctx context.Context, fn func(remote.Object) error) error {
	return w.Connection.List(ctx, func(there remote.Object) error {
		if w.list != nil {
			w.list(&there)
		}
		return fn(there)
	})
}

func (w *Wrapped) Delete(ctx context.Context, paths []string) []error {
	if w.OnDelete == nil {
		return w.Connection.Delete(ctx, paths)
	}
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = w.OnDelete(path); errs[i] == nil {
			errs[i] = w.Connection.Delete(ctx, []string{path})[0]
		}
	}
	return errs
}

// ListsNoMtimes is a remote like S3, whose listing gives hashes only.
func (r *Rig) ListsNoMtimes() {
	r.Remote.Caps.Hash, _ = snapshot.ParseHashType("md5")
	r.Wrap = func(c remote.Connection) remote.Connection {
		return &Wrapped{Connection: c, list: func(there *remote.Object) { there.Entry.Mtime = 0 }}
	}
}

// MoveInDoubt loses the remote's answer to the move of a directory d to e.
func (r *Rig) MoveInDoubt() {
	r.T.Helper()
	for i := range 5 {
		r.Write(fmt.Sprintf("d/f%d", i), fmt.Sprintf("content %d", i))
	}
	r.Run()
	r.Rename("d", "e")
	r.Remote.Fail = Cut("dirmove", enginetest.After)
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
}
