package engine_test

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
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

// Nor do a directory and a file that are retained as a whole.
func TestRetainedIsNotCarriedIntoThePlaceOfAnotherKind(t *testing.T) {
	for name, story := range map[string]struct{ old, new string }{
		"file":      {"d/e/was/kept", "d/e/was"},
		"directory": {"d/e/was", "d/e/was/new"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, rig.FullCaps)
			r.Cfg.CompleteSync, r.Cfg.Retries = false, 1
			for _, path := range []string{story.old, "d/x", "d/y", "d/e/z"} {
				r.Write(path, "content of "+path)
			}
			r.Run()
			r.Remove("d/e/was")
			r.Run()
			r.Write(story.new, "something else")
			r.Rename("d", "moved")
			if sum := r.Run(); sum.Failed > 0 || sum.Held > 0 {
				t.Fatalf("got %+v\n%s", sum, r.Remote.Log())
			}
			r.Holds()
			r.Quiet()
		})
	}
}

// What a filter leaves out stays on the remote when a file takes the place of its directory: the file waits, also where a bucket
// has room for both, since the base has not. It says so, and all is well once the filter leaves out nothing.
func TestExcludedIsInThePlaceOfAFile(t *testing.T) {
	for name, caps := range map[string]remote.Caps{
		"full":   rig.FullCaps,
		"bucket": {Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, caps)
			r.Cfg.Approve, r.Cfg.Retries = true, 1
			r.Write("d/out", "left out")
			r.Write("d/in", "not left out")
			r.Write("x", "x")
			r.Run()
			r.Cfg.Scan.Filter = without{everything{}, "out"}
			r.Remove("d")
			r.Write("d", "a file now")
			for range 2 {
				sum := r.Run()
				if len(sum.Failures) != 1 || sum.Failures[0].Path != "d" || remote.Class(sum.Failures[0].Err) != "blocked" {
					t.Fatalf("got %+v\n%s", sum, r.Remote.Log())
				}
			}
			if report := r.Verify(engine.VerifyOptions{}); !report.Clean() {
				t.Errorf("base and remote differ: %+v", report)
			}
			r.Cfg.Scan.Filter = nil
			r.Run()
			r.Same()
		})
	}
}

// everything is a filter that leaves out nothing.
type everything struct{}

func (everything) File(string, int64, time.Time) bool { return true }
func (everything) Dir(string) bool                    { return true }
func (everything) Markers() []string                  { return nil }
