package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// A file that always times out stops nothing else while the remote answers probes.
func TestOneFileTimesOut(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Transfers, r.Cfg.Retries = 1, 2
	r.Fill(10)
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "f03" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrOffline}
	}
	sum := r.Run()
	if sum.Sent != 9 || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrTemporary) {
		t.Errorf("got %+v", sum)
	}
}

// The old name of a file stays for as long as its content cannot be sent under the new one.
func TestDeleteWaitsForTheNewNameThatFailed(t *testing.T) {
	caps := rig.FullCaps
	caps.Move, caps.DirMove, caps.Copy = false, false, false
	r := rig.New(t, caps)
	r.Write("a", "content of a")
	r.Run()
	before := r.RemoteFiles()
	r.Rename("a", "b")
	r.Remote.Fail = rig.Every("send", enginetest.Fault{Err: remote.ErrQuota})
	sum := r.Run()
	if sum.Failed != 2 || sum.Deleted != 0 || !errors.Is(sum.Failures[0].Err, remote.ErrQuota) {
		t.Errorf("got %+v", sum)
	}
	if after := r.RemoteFiles(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("the remote has %v\n%s", after, r.Remote.Log())
	}
	r.Remote.Fail = nil
	r.Run()
	r.Same()
}

// Of a batch of deletes the one that may pass is tried again, the one that may not is not.
func TestBatchOfDeletesIsRetriedInPart(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(3)
	r.Run()
	for i := range 3 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	tries := make(map[string]int)
	r.Wrap = func(c remote.Connection) remote.Connection {
		return &rig.Wrapped{Connection: c, OnDelete: func(path string) error {
			tries[path]++
			switch {
			case path == "f00":
				return remote.ErrPermission
			case path == "f01" && tries[path] == 1:
				return remote.ErrTemporary
			}
			return nil
		}}
	}
	sum := r.Run()
	if sum.Deleted != 2 || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrPermission) {
		t.Errorf("got %+v", sum)
	}
	if tries["f00"] != 1 || tries["f01"] != 2 || tries["f02"] != 1 {
		t.Errorf("tried %v", tries)
	}
}

// What the journal says of a run that ended early is the class of its error, and the state that a process would show follows
// from that.
func TestClassOfARun(t *testing.T) {
	for _, c := range []struct {
		err   error
		class string
		state loop.State
	}{
		{remote.ErrOffline, "offline", loop.Offline},
		{remote.ErrTemporary, "temporary", loop.Offline},
		{remote.ErrQuota, "quota", loop.Stopped},
		{remote.ErrPermission, "permission", loop.Stopped},
		{remote.ErrFatal, "fatal", loop.Stopped},
		{context.Canceled, "interrupted", loop.Stopped},
		{engine.ErrPaused, "interrupted", loop.Stopped},
		{engine.ErrNewSource, "source", loop.Held},
		{snapshot.ErrSourceGone, "source", loop.Held},
		{errors.New("odd"), "error", loop.Stopped},
	} {
		r := rig.New(t, rig.FullCaps)
		r.Remote.Fail = func(enginetest.Op) *enginetest.Fault { return &enginetest.Fault{Err: c.err} } // the listing that begins
		if _, err := r.Try(); !errors.Is(err, c.err) {
			t.Fatalf("%v: the run ended with %v", c.err, err)
		}
		r.With(func(_ *engine.Engine, j *journal.Journal) {
			s, err := j.State()
			rig.Must(t, err)
			if got := loop.StateAfter(s.LastErrorClass); s.LastErrorClass != c.class || got != c.state {
				t.Errorf("%v: class %q, state %s; want %q, %s", c.err, s.LastErrorClass, got, c.class, c.state)
			}
		})
	}
}
