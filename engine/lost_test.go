package engine_test

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// A copy whose origin somebody removed from the remote becomes an upload.
func TestCopyWhoseOriginIsLost(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "content of a")
	r.Run()
	r.Remote.Remove("a")
	r.Write("b", "content of a")
	if sum := r.Run(); sum.Failed != 0 || sum.Sent != 2 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// A move onto another file whose origin is lost does not leave the other file's content.
func TestMoveOntoAnotherWhoseOriginIsLost(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "AAAA")
	r.Write("b", "BBBB, longer")
	r.Run()
	r.Remote.Remove("a")
	r.Rename("a", "b")
	if sum := r.Run(); sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// A directory's move whose origin is lost is not taken for done because somebody else's directory
// stands at the target: what is in that one is adopted, and goes with --complete-sync.
func TestDirectoryMoveWhoseOriginIsLost(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("d/x", "content x")
	r.Write("d/y", "content y")
	r.Run()
	r.Remote.Remove("d")
	r.Remote.Put("e/foreign", "somebody else's", time.Unix(1, 0))
	r.Rename("d", "e")
	if sum := r.Run(); sum.Sent != 2 || sum.Moved != 0 || sum.Deleted != 1 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// A copy that the remote refuses becomes an upload in the same run.
func TestRefusedCopyIsSent(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "content of a")
	r.Run()
	r.Write("b", "content of a")
	r.Remote.Fail = rig.Every("copy", enginetest.Fault{Err: remote.ErrCannotMove})
	if sum := r.Run(); sum.Failed != 0 || sum.Sent != 1 || sum.Copied != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

// A file takes the place of directories that a bucket never held, and that other remotes did not need.
func TestEmptyDirectoriesBecomeAFile(t *testing.T) {
	bucket := remote.Caps{Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100}
	for name, caps := range map[string]remote.Caps{"bucket": bucket, "full": rig.FullCaps} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, caps)
			r.Write("other", "o")
			r.Mkdir("b/a/c")
			r.Run()
			r.Remove("b")
			r.Write("b", "a file now")
			if sum := r.Run(); sum.Failed != 0 || sum.Sent != 1 {
				t.Errorf("got %+v\n%s", sum, r.Remote.Log())
			}
			r.Same()
			r.Quiet()
		})
	}
}
