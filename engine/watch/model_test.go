package watch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// edit is one thing that people and programs do to a tree. Most of them fail, because the names are
// few; that is as good.
type edit struct {
	what     string
	from, to string
}

func (e edit) do(root, outside string) {
	from, to := filepath.Join(root, e.from), filepath.Join(root, e.to)
	switch e.what {
	case "mkdir":
		os.MkdirAll(from, 0o755)
	case "write":
		os.WriteFile(from, []byte(e.to), 0o644)
	case "append":
		if f, err := os.OpenFile(from, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			f.WriteString(e.to)
			f.Close()
		}
	case "rename":
		os.Rename(from, to)
	case "save":
		if os.WriteFile(from+"~", []byte(e.to), 0o644) == nil {
			os.Rename(from+"~", from)
		}
	case "remove":
		os.Remove(from)
	case "wipe":
		os.RemoveAll(from)
	case "out":
		os.RemoveAll(outside)
		os.Rename(from, outside)
	case "in":
		os.Rename(outside, from)
	case "chmod":
		os.Chmod(from, 0o700)
	case "link":
		os.Remove(from)
		os.Symlink(e.to, from)
	}
}

func genEdit() *rapid.Generator[edit] {
	what := rapid.SampledFrom([]string{
		"mkdir", "mkdir", "mkdir", "write", "write", "append", "rename", "rename", "rename", "save", "remove", "wipe",
		"out", "in", "chmod", "link",
	})
	// A small alphabet, so that moves and swaps collide.
	path := rapid.Custom(func(t *rapid.T) string {
		at := ""
		for range rapid.IntRange(1, 4).Draw(t, "depth") {
			at = filepath.Join(at, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"))
		}
		return at
	})
	return rapid.Custom(func(t *rapid.T) edit {
		return edit{what.Draw(t, "what"), path.Draw(t, "from"), path.Draw(t, "to")}
	})
}

// TestModel edits a tree, from two sides at once, while it is watched. Afterwards the mirror, which
// looked at nothing but the hints, is the tree.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		edits := rapid.SliceOfN(genEdit(), 1, 60)
		before, left, right := edits.Draw(rt, "before"), edits.Draw(rt, "left"), edits.Draw(rt, "right")
		r := newRigAt(rt, t.TempDir())
		outside := t.TempDir()
		for _, e := range before {
			e.do(r.at(""), outside+"/0")
		}
		r.open()
		var wg sync.WaitGroup
		for i, side := range [][]edit{left, right} {
			wg.Go(func() {
				for _, e := range side {
					e.do(r.at(""), fmt.Sprintf("%s/%d", outside, i))
				}
			})
		}
		wg.Wait()
		r.sync()
	})
}

func TestTar(t *testing.T) {
	from := newRig(t)
	for i := range 50 {
		for j := range 10 {
			from.write(fmt.Sprintf("%d/sub/%d/deep/f", i%25, j), fmt.Sprintf("%d/%d", i, j))
		}
	}
	archive := t.TempDir() + "/a.tar"
	if out, err := exec.Command("tar", "cf", archive, "-C", from.at(""), ".").CombinedOutput(); err != nil {
		t.Skipf("no tar here: %v: %s", err, out)
	}
	r := newRig(t).open()
	for range 3 {
		if out, err := exec.Command("tar", "xf", archive, "-C", r.at("")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		r.sync()
		for i := range 25 {
			r.remove(fmt.Sprint(i))
		}
	}
	r.sync()
}

func TestGitCheckout(t *testing.T) {
	r := newRig(t)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", r.at(""), "-c", "user.name=n", "-c", "user.email=e@e",
			"-c", "init.defaultBranch=one", "-c", "gc.auto=0"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	for i := range 200 {
		r.write(fmt.Sprintf("src/%d/%d", i%30, i), fmt.Sprintf("lib/a/%d/b", i%40))
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "one")
	git("checkout", "-qb", "two")
	r.rename("src", "source")
	r.remove("lib/a/7")
	for i := range 200 {
		r.write(fmt.Sprintf("source/new/%d/x/%d", i%50, i), fmt.Sprintf("lib/a/%d", 100+i))
	}
	git("add", ".")
	git("commit", "-qm", "two")
	r.open()
	for range 4 {
		git("checkout", "-q", "one")
		r.sync()
		git("checkout", "-q", "two")
		r.sync()
	}
}
