//go:build unix

package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/journal"
)

// What is skipped is explained, and not unknown.
func TestExplainWhatIsSkipped(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("was", "a file")
	r.Run()
	r.Remove("was")
	rig.Must(t, syscall.Mkfifo(filepath.Join(r.Source, "was"), 0o600))
	rig.Must(t, os.Symlink("nowhere", filepath.Join(r.Source, "link")))
	for path, want := range map[string]string{
		"was":   "it is a fifo, and only files, directories and symlinks can be mirrored; what the remote holds there is deleted only if a person approves that, since the path is not empty",
		"link":  "it is a symlink: --links keeps it as one, --copy-links mirrors what it points to",
		"never": "neither the source nor the base has it",
	} {
		r.With(func(e *engine.Engine, _ *journal.Journal) {
			x, err := e.Explain(context.Background(), path)
			rig.Must(t, err)
			if x.Rule != want {
				t.Errorf("%s: %s, because %s", path, x.Verdict, x.Rule)
			}
		})
	}
}
