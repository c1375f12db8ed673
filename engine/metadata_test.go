package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// touchless is a remote that takes metadata with the content only, which shows when it is asked.
type touchless struct{ remote.Connection }

func (t touchless) Touch(_ context.Context, path string, _ snapshot.Entry) error {
	return fmt.Errorf("touch %q: %w", path, remote.ErrCannotMove)
}

// With --metadata a new mode is set without the content, or, where that turns out to be impossible, with it.
func TestChmodWithMetadata(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: a file has no mode")
	}
	caps := fullCaps
	caps.Metadata, caps.SetMetadata = true, true
	r := newRig(t, caps)
	r.cfg.Metadata = true
	r.write("f", "content")
	r.write("g", "content as well")
	r.run()
	chmod := func(mode os.FileMode) { must(t, os.Chmod(filepath.Join(r.source, "f"), mode)) }
	chmod(0o600)
	if sum := r.run(); sum.Touched != 1 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.quiet()
	r.wrap = func(c remote.Connection) remote.Connection { return touchless{c} }
	chmod(0o640)
	if sum := r.run(); sum.Touched != 0 || sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("where it cannot be set: %+v\n%s", sum, r.remote.Log())
	}
	r.quiet()
	r.same()
}
