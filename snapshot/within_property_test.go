//go:build unix

package snapshot

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// world is a random tree with its base, filters and faults, looked at as a whole and in part.
type world struct {
	t      *rapid.T
	cfg    Config
	base   map[string]Entry
	faults faults
	open   opener
	memory func(map[string]Entry) *memory
}

func (w *world) scan(within []Scope) *Head {
	cfg := w.cfg
	cfg.Within = within
	base := w.memory(w.base)
	head, err := scan(w.t.Context(), cfg, base, w.faults.in(w.open))
	base.closed()
	if err != nil {
		w.t.Fatalf("scan within %v: %v", within, err)
	}
	return head
}

// checkWorlds checks a property of many random worlds, whose trees were edited since the base was made.
func checkWorlds(t *testing.T, edit func(rt *rapid.T, root string, n int), check func(w *world)) {
	for name, open := range systems {
		t.Run(name, func(t *testing.T) {
			dir, n := t.TempDir(), 0
			rapid.Check(t, func(rt *rapid.T) {
				n++
				root := filepath.Join(dir, fmt.Sprint(n))
				defer clearAway(root)
				os.Mkdir(root, 0o755)
				w := &world{t: rt, open: open, memory: func(tree map[string]Entry) *memory { return newMemory(t, tree) }}
				w.cfg = Config{Root: root, Links: KeepLinks, Now: func() time.Time { return time.Now().Add(time.Hour) }}
				edit(rt, root, 20)
				w.base = applied(nil, w.scan(nil).Changes)
				edit(rt, root, 10)
				check(w)
			})
		})
	}
}

// clearAway removes all at root, with what only its owner's chmod lets anybody look into.
func clearAway(root string) {
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	os.RemoveAll(root)
}

// TestScanWithinProperty: within any places, a scan reports what a scan of everything reports there,
// whatever the base, the edits, the filter and the faults.
func TestScanWithinProperty(t *testing.T) {
	checkWorlds(t, edits, func(w *world) {
		w.drawConfig()
		var within []Scope
		for _, path := range rapid.SliceOfN(paths, 0, 6).Draw(w.t, "within") {
			within = append(within, Scope{path, rapid.Bool().Draw(w.t, "deep")})
		}
		if within == nil {
			within = []Scope{}
		}
		all, part := w.scan(nil), w.scan(within)
		var want []Change
		for _, c := range all.Changes {
			if w.covered(within, c.Path) {
				want = append(want, c)
			}
		}
		if diff := cmp.Diff(want, part.Changes); diff != "" {
			w.t.Fatalf("changes within %v (-full scan +this one):\n%s", within, diff)
		}
		for _, p := range part.Problems {
			if !slices.ContainsFunc(all.Problems, func(q Problem) bool { return q.Path == p.Path }) {
				w.t.Fatalf("a problem that the full scan does not have: %+v", p)
			}
		}
		for _, u := range part.Unproven {
			if !slices.ContainsFunc(all.Unproven, func(v Unproven) bool {
				return v.Path == u.Path && v.Reason == u.Reason && v.Mount == u.Mount && v.Kept >= u.Kept
			}) {
				w.t.Fatalf("unproven is %+v, in the full scan %+v", u, all.Unproven)
			}
		}
	})
}

// drawConfig makes the rest of the world random.
func (w *world) drawConfig() {
	t := w.t
	w.cfg.Links = rapid.SampledFrom([]LinkMode{KeepLinks, KeepLinks, SkipLinks, FollowLinks}).Draw(t, "links")
	w.cfg.Mirror = rapid.Bool().Draw(t, "mirror")
	w.cfg.Checksum = rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "checksum")
	if rapid.Bool().Draw(t, "filter") {
		w.cfg.Filter = rules{max: 1}
	}
	for _, path := range rapid.SliceOfN(paths, 0, 4).Draw(t, "flagged") {
		if e, ok := w.base[path]; ok {
			e.Flags = rapid.SampledFrom([]Flags{Racy, Retained, Adopted}).Draw(t, "flags")
			w.base[path] = e
		}
	}
	fault := rapid.Map(rapid.SliceOfN(paths, 0, 1), func(paths []string) map[string]error {
		faults := make(map[string]error)
		for _, path := range paths {
			faults[path] = syscall.EACCES
		}
		return faults
	})
	w.faults.openErr = fault.Draw(t, "open")
	w.faults.statErr = fault.Draw(t, "stat")
	w.faults.lookupErr = fault.Draw(t, "lookup")
}

// covered says what Scope says, one path at a time.
func (w *world) covered(within []Scope, path string) bool {
	return slices.ContainsFunc(within, func(s Scope) bool {
		if dir, name := Split(s.Path); name == ".skip" && w.cfg.Filter != nil {
			s = Scope{dir, true}
		}
		// The first on the way to the scope that is not on both sides a directory takes its place.
		for above := range prefixes(s.Path) {
			if !w.isDir(above) || w.base[above].Kind != Dir {
				s = Scope{above, true}
				break
			}
		}
		return path == s.Path || s.Deep && Beneath(path, s.Path)
	})
}

// prefixes yields the first name of path, the first two, and so on.
func prefixes(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(path) + 1 {
			if (i == len(path) || path[i] == '/') && i > 0 && !yield(path[:i]) {
				return
			}
		}
	}
}

func (w *world) isDir(path string) bool {
	stat := os.Lstat
	if w.cfg.Links == FollowLinks {
		stat = os.Stat
	}
	fi, err := stat(filepath.Join(w.cfg.Root, filepath.FromSlash(path)))
	return err == nil && fi.IsDir()
}

// TestScanWithinEdits: within the places of all edits, a scan finds what a scan of everything finds.
func TestScanWithinEdits(t *testing.T) {
	var touched []Scope
	edit := func(rt *rapid.T, root string, n int) { touched = touch(rt, root, n) }
	checkWorlds(t, edit, func(w *world) {
		if rapid.Bool().Draw(w.t, "filter") {
			w.cfg.Filter = rules{}
		}
		all, part := w.scan(nil), w.scan(touched)
		if diff := cmp.Diff(all.Changes, part.Changes); diff != "" {
			w.t.Fatalf("changes within %v (-full scan +this one):\n%s", touched, diff)
		}
		w.base = applied(w.base, part.Changes)
		if again := w.scan(nil); len(again.Changes) > 0 {
			w.t.Fatalf("left over: %q", describe(again))
		}
	})
}

// touch makes up to n random edits and returns where, as somebody who watches would: both names of what
// is renamed, and new directories Deep. Nothing gets a second name, as links would give.
func touch(t *rapid.T, root string, n int) []Scope {
	touched := []Scope{}
	made := func(path string, err error) {
		if err == nil {
			touched = append(touched, Scope{path, true})
		}
	}
	at := func(path string) string { return filepath.Join(root, filepath.FromSlash(path)) }
	for range rapid.IntRange(0, n).Draw(t, "edits") {
		p := paths.Draw(t, "path")
		if rapid.Bool().Draw(t, "parents") {
			for above := range prefixes(p) {
				if above != p {
					made(above, os.Mkdir(at(above), 0o755))
				}
			}
		}
		if fi, err := os.Lstat(at(p)); err == nil && fi.Mode().Type() == fs.ModeSymlink {
			os.Remove(at(p)) // what it leads to is for others to watch
			made(p, nil)
			continue
		}
		var err error
		switch rapid.SampledFrom([]string{"write", "mkdir", "remove", "rename", "symlink", "chmod"}).Draw(t, "edit") {
		case "write":
			err = os.WriteFile(at(p), []byte(rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "content")), 0o644)
		case "mkdir":
			err = os.Mkdir(at(p), 0o755)
		case "remove":
			err = os.RemoveAll(at(p))
		case "rename":
			to := paths.Draw(t, "to")
			err = os.Rename(at(p), at(to))
			made(to, err)
		case "symlink":
			err = os.Symlink("nowhere", at(p))
		case "chmod":
			err = os.Chmod(at(p), 0o600)
		}
		if fi, serr := os.Lstat(at(p)); serr == nil && !fi.IsDir() {
			touched = append(touched, Scope{Path: p})
		} else {
			made(p, err)
		}
	}
	return touched
}
