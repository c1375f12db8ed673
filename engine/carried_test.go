package engine_test

import (
	"testing"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
)

// A directory that holds what the remote retains becomes a file, and the directory above it has moved: what is retained does
// not come along into the place of the file.
func TestRetainedIsNotCarriedIntoThePlaceOfAFile(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	for _, path := range []string{"d/e/was/kept", "d/e/was/goes", "d/x", "d/y", "d/e/z"} {
		r.Write(path, "content of "+path)
	}
	r.Run()
	r.Remove("d/e/was/kept")
	r.Run()
	r.Remove("d/e/was")
	r.Write("d/e/was", "a file now")
	r.Rename("d", "moved")
	if sum := r.Run(); sum.Failed > 0 || sum.Held > 0 {
		t.Fatalf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Holds()
	r.Quiet()
}
