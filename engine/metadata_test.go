package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// touchless is a remote that takes metadata with the content only, which shows when it is asked.
type touchless struct{ remote.Connection }

func (t touchless) Touch(_ context.Context, path string, _ snapshot.Entry, _ *snapshot.Entry) error {
	return fmt.Errorf("touch %q: %w", path, remote.ErrCannotMove)
}

// With --metadata a new mode is set without the content, or, where that turns out to be impossible, with it.
func TestChmodWithMetadata(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: a file has no mode")
	}
	caps := rig.FullCaps
	caps.Metadata, caps.SetMetadata = true, true
	r := rig.New(t, caps)
	r.Cfg.Metadata = true
	r.Write("f", "content")
	r.Write("g", "content as well")
	r.Run()
	chmod := func(mode os.FileMode) { rig.Must(t, os.Chmod(filepath.Join(r.Source, "f"), mode)) }
	chmod(0o600)
	if sum := r.Run(); sum.Touched != 1 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Quiet()
	r.Wrap = func(c remote.Connection) remote.Connection { return touchless{c} }
	chmod(0o640)
	if sum := r.Run(); sum.Touched != 0 || sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("where it cannot be set: %+v\n%s", sum, r.Remote.Log())
	}
	r.Quiet()
	r.Same()
}
