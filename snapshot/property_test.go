package snapshot

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// paths are over a small alphabet, so that they collide.
var paths = rapid.Custom(func(t *rapid.T) string {
	var path string
	for range rapid.IntRange(1, 3).Draw(t, "depth") {
		path = Join(path, rapid.SampledFrom([]string{"a", "a!", "A", "b", "no", ".skip"}).Draw(t, "name"))
	}
	return path
})

// edits makes up to n random changes to the tree at root.
func edits(t *rapid.T, root string, n int) {
	path := rapid.Map(paths, func(path string) string { return filepath.Join(root, filepath.FromSlash(path)) })
	for range rapid.IntRange(0, n).Draw(t, "edits") {
		p := path.Draw(t, "path")
		// What cannot be done to this tree, such as writing to a directory, is simply not done.
		os.MkdirAll(filepath.Dir(p), 0o755)
		switch rapid.SampledFrom([]string{"write", "write", "mkdir", "remove", "rename", "link", "symlink", "chmod"}).Draw(t, "edit") {
		case "write":
			os.WriteFile(p, []byte(rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "content")), 0o644)
		case "mkdir":
			os.Mkdir(p, 0o755)
		case "remove":
			os.RemoveAll(p)
		case "rename":
			os.Rename(p, path.Draw(t, "to"))
		case "link":
			os.Link(p, path.Draw(t, "to"))
		case "symlink":
			os.Symlink(rapid.SampledFrom([]string{"a", "nowhere"}).Draw(t, "target"), p)
		case "chmod":
			os.Chmod(p, 0o600)
		}
	}
}

// TestScanProperty: a scan against the base that was made from another tree, applied to that base,
// gives the tree; and a scan against the tree itself finds nothing.
func TestScanProperty(t *testing.T) {
	for name, open := range systems {
		t.Run(name, func(t *testing.T) {
			dir, n := t.TempDir(), 0
			rapid.Check(t, func(rt *rapid.T) {
				n++
				root := filepath.Join(dir, fmt.Sprint(n))
				defer os.RemoveAll(root)
				os.Mkdir(root, 0o755)
				cfg := Config{Root: root, Links: KeepLinks, Now: func() time.Time { return time.Now().Add(time.Hour) }}
				read := func(base map[string]Entry) []Change {
					head, err := scan(t.Context(), cfg, newMemory(t, base), open)
					if err != nil || len(head.Problems)+len(head.Unproven) > 0 {
						rt.Fatalf("scan: %+v, %v", head, err)
					}
					return head.Changes
				}
				edits(rt, root, 20)
				before := applied(nil, read(nil))
				edits(rt, root, 10)
				changes := read(before)
				after := applied(nil, read(nil))
				if diff := cmp.Diff(after, forgetDirs(applied(before, changes), after)); diff != "" {
					rt.Fatalf("changes applied to the base (-tree +got):\n%s", diff)
				}
				if again := read(after); len(again) > 0 {
					rt.Fatalf("an unchanged tree has changes: %v", again)
				}
				agreesWithWalk(rt, root, after)
			})
		})
	}
}

// forgetDirs gives the directories of got the entries that they have in want: that the times and the
// permissions of a directory changed is no change.
func forgetDirs(got, want map[string]Entry) map[string]Entry {
	for path, e := range got {
		if w, ok := want[path]; ok && w.Kind == Dir && e.Kind == Dir && e.Ino == w.Ino {
			got[path] = w
		}
	}
	return got
}

// agreesWithWalk holds the tree that a scan found against the one that filepath.WalkDir finds.
func agreesWithWalk(t *rapid.T, root string, tree map[string]Entry) {
	left := len(tree)
	filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		left--
		e, ok := tree[filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))]
		fi, err := d.Info()
		if err != nil || !ok || e.Mtime != fi.ModTime().UnixNano() || e.Kind != Dir && e.Size != fi.Size() {
			t.Fatalf("%s: scan says %+v (%v), the system says %v, %v", path, e, ok, fi, err)
		}
		return nil
	})
	if left != 0 {
		t.Fatalf("the scan found %d entries more than there are", left)
	}
}
