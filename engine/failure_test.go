package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// A file that always times out stops nothing else while the remote answers probes.
func TestOneFileTimesOut(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.Transfers, r.cfg.Retries = 1, 2
	r.fill(10)
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "f03" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrOffline}
	}
	sum := r.run()
	if sum.Sent != 9 || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrTemporary) {
		t.Errorf("got %+v", sum)
	}
}

// The old name of a file stays for as long as its content cannot be sent under the new one.
func TestDeleteWaitsForTheNewNameThatFailed(t *testing.T) {
	caps := fullCaps
	caps.Move, caps.DirMove, caps.Copy = false, false, false
	r := newRig(t, caps)
	r.write("a", "content of a")
	r.run()
	before := r.remoteFiles()
	r.rename("a", "b")
	r.remote.Fail = every("send", enginetest.Fault{Err: remote.ErrQuota})
	sum := r.run()
	if sum.Failed != 2 || sum.Deleted != 0 || !errors.Is(sum.Failures[0].Err, remote.ErrQuota) {
		t.Errorf("got %+v", sum)
	}
	if after := r.remoteFiles(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("the remote has %v\n%s", after, r.remote.Log())
	}
	r.remote.Fail = nil
	r.run()
	r.same()
}

// Of a batch of deletes the one that may pass is tried again, the one that may not is not.
func TestBatchOfDeletesIsRetriedInPart(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(3)
	r.run()
	for i := range 3 {
		r.remove(fmt.Sprintf("f%02d", i))
	}
	tries := make(map[string]int)
	r.wrap = func(c remote.Connection) remote.Connection {
		return &wrapped{Connection: c, delete: func(path string) error {
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
	sum := r.run()
	if sum.Deleted != 2 || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrPermission) {
		t.Errorf("got %+v", sum)
	}
	if tries["f00"] != 1 || tries["f01"] != 2 || tries["f02"] != 1 {
		t.Errorf("tried %v", tries)
	}
}
