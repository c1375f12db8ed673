//go:build unix

package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
)

// What is skipped is explained, and not unknown.
func TestExplainWhatIsSkipped(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("was", "a file")
	r.run()
	r.remove("was")
	must(t, syscall.Mkfifo(filepath.Join(r.source, "was"), 0o600))
	must(t, os.Symlink("nowhere", filepath.Join(r.source, "link")))
	for path, want := range map[string]string{
		"was":   "it is a fifo, and only files, directories and symlinks can be mirrored; what the remote holds there stays, since the path is not empty",
		"link":  "it is a symlink: --links keeps it as one, --copy-links mirrors what it points to",
		"never": "neither the source nor the base has it",
	} {
		r.with(func(e *engine.Engine, _ *journal.Journal) {
			x, err := e.Explain(context.Background(), path)
			must(t, err)
			if x.Rule != want {
				t.Errorf("%s: %s, because %s", path, x.Verdict, x.Rule)
			}
		})
	}
}
