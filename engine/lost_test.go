package engine_test

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// A copy whose origin somebody removed from the remote becomes an upload.
func TestCopyWhoseOriginIsLost(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "content of a")
	r.run()
	r.remote.Remove("a")
	r.write("b", "content of a")
	if sum := r.run(); sum.Failed != 0 || sum.Sent != 2 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

// A move onto another file whose origin is lost does not leave the other file's content.
func TestMoveOntoAnotherWhoseOriginIsLost(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "AAAA")
	r.write("b", "BBBB, longer")
	r.run()
	r.remote.Remove("a")
	r.rename("a", "b")
	if sum := r.run(); sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

// A directory's move whose origin is lost is not taken for done because somebody else's directory
// stands at the target: what is in that one is adopted, and goes with --complete-sync.
func TestDirectoryMoveWhoseOriginIsLost(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("d/x", "content x")
	r.write("d/y", "content y")
	r.run()
	r.remote.Remove("d")
	r.remote.Put("e/foreign", "somebody else's", time.Unix(1, 0))
	r.rename("d", "e")
	if sum := r.run(); sum.Sent != 2 || sum.Moved != 0 || sum.Deleted != 1 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

// A copy that the remote refuses becomes an upload in the same run.
func TestRefusedCopyIsSent(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "content of a")
	r.run()
	r.write("b", "content of a")
	r.remote.Fail = every("copy", enginetest.Fault{Err: remote.ErrCannotMove})
	if sum := r.run(); sum.Failed != 0 || sum.Sent != 1 || sum.Copied != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

// A file takes the place of directories that a bucket never held, and that other remotes did not need.
func TestEmptyDirectoriesBecomeAFile(t *testing.T) {
	bucket := remote.Caps{Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100}
	for name, caps := range map[string]remote.Caps{"bucket": bucket, "full": fullCaps} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, caps)
			r.write("other", "o")
			r.mkdir("b/a/c")
			r.run()
			r.remove("b")
			r.write("b", "a file now")
			if sum := r.run(); sum.Failed != 0 || sum.Sent != 1 {
				t.Errorf("got %+v\n%s", sum, r.remote.Log())
			}
			r.same()
			r.quiet()
		})
	}
}
