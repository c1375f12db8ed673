//go:build linux

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What editors and tools do all day: it must arrive, and without storms. Nothing may be sent more often
// than it had been quiet for the settle time, which is what the limits below are made of.

const (
	patternFiles = 200
	saves        = 20
)

func (w *watched) patterns() {
	w.rest()
	for _, p := range []struct {
		name string
		do   func() (most int)
	}{
		{"editors", w.editors}, {"git checkout", w.gitCheckout}, {"tar x", w.tarExtract}, {"rsync --inplace", w.rsyncInPlace},
		{"a log that grows", w.growingLog}, {"a build that is wiped and made again", w.rebuild},
	} {
		before, begun := len(w.steps()), time.Now()
		most := p.do()
		w.rest()
		done := w.steps()[before:]
		w.t.Logf("%s: %d steps, at most %d, in %v", p.name, len(done), most, time.Since(begun).Round(time.Millisecond))
		if len(done) > most {
			w.t.Errorf("%s: a storm: %d steps, want at most %d:\n%s", p.name, len(done), most, strings.Join(done, "\n"))
		}
		w.settled()
	}
}

// quietTimes is how often a path that changed from begun until now can have been quiet, or too long unquiet,
// and once more at the end.
func quietTimes(begun time.Time) int { return 1 + int(time.Since(begun)/watchSettle) }

// editors save files in the ways that there are.
func (w *watched) editors() (most int) {
	tr, dir := w.tree, filepath.Join(w.tree.root, "texts")
	for _, name := range []string{"renamed", "backed up", "truncated"} {
		tr.write(filepath.Join(dir, name), 1000)
	}
	w.rest()
	begun := time.Now()
	for range saves {
		temp := filepath.Join(dir, "4913~")
		tr.write(temp, 1000+tr.rng.Int64N(100))
		tr.must(os.Rename(temp, filepath.Join(dir, "renamed")))

		kept := filepath.Join(dir, "backed up")
		tr.must(os.Rename(kept, kept+"~"))
		tr.write(kept, 1000+tr.rng.Int64N(100))
		tr.must(os.Remove(kept + "~"))

		tr.write(filepath.Join(dir, "truncated"), 1000+tr.rng.Int64N(100))
		time.Sleep(10 * time.Millisecond)
	}
	// The backup can be seen while it is there: a move, and a delete.
	return 3 + 5*quietTimes(begun)
}

// gitCheckout goes to another branch and back. What git keeps for itself is no more than some files.
func (w *watched) gitCheckout() (most int) {
	dir := filepath.Join(w.tree.root, "repository")
	for i := range patternFiles {
		w.tree.write(filepath.Join(dir, fmt.Sprintf("d%d", i%10), fmt.Sprintf("f%d", i)), 100)
	}
	git := func(args ...string) {
		all := append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e", "-c", "gc.auto=0", "-c", "init.defaultBranch=main"}, args...)
		w.must("git", all...)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	git("checkout", "-q", "-b", "other")
	for i := range patternFiles / 2 {
		w.tree.write(filepath.Join(dir, fmt.Sprintf("d%d", i%10), fmt.Sprintf("f%d", i)), 150)
	}
	git("mv", "d9", "moved")
	git("add", ".")
	git("commit", "-q", "-m", "two")
	w.rest()
	begun := time.Now()
	for range 3 {
		git("checkout", "-q", "main")
		git("checkout", "-q", "other")
	}
	// Once all files and what git has of them, once those that were edited; then each for each time that it
	// was quiet.
	return 5*patternFiles + patternFiles*min(6, quietTimes(begun))
}

// tarExtract writes files, and gives them their times at once and the directories theirs at the end.
func (w *watched) tarExtract() (most int) {
	from := w.t.TempDir()
	for i := range patternFiles {
		w.tree.write(filepath.Join(from, "unpacked", fmt.Sprintf("d%d", i%20), fmt.Sprintf("f%d", i)), w.tree.rng.Int64N(5000))
	}
	ball := filepath.Join(from, "ball.tar")
	w.must("tar", "-C", from, "-cf", ball, "unpacked")
	begun := time.Now()
	w.must("tar", "-C", w.tree.root, "-xf", ball)
	return patternFiles * min(2, quietTimes(begun))
}

// rsyncInPlace overwrites parts of a large file, while it can be seen.
func (w *watched) rsyncInPlace() (most int) {
	if _, err := exec.LookPath("rsync"); err != nil {
		w.t.Log("no rsync here: apt-get install rsync")
		return 0
	}
	from := filepath.Join(w.t.TempDir(), "disk.img")
	w.tree.write(from, 8<<20)
	begun := time.Now()
	for range 3 {
		f, err := os.OpenFile(from, os.O_WRONLY, 0)
		w.tree.must(err)
		_, err = f.WriteAt(w.tree.bytes(1000), w.tree.rng.Int64N(8<<20-1000))
		w.tree.must(err)
		w.tree.must(f.Close())
		w.must("rsync", "--inplace", "--no-whole-file", "--ignore-times", from, w.tree.root+"/")
	}
	return quietTimes(begun)
}

// growingLog is never quiet: it goes along whenever it has waited for --settle-max.
func (w *watched) growingLog() (most int) {
	log := filepath.Join(w.tree.root, "app.log")
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	w.tree.must(err)
	defer f.Close()
	before, begun := len(w.steps()), time.Now()
	for time.Since(begun) < 4*watchSettleMax {
		_, err := fmt.Fprintf(f, "%v: something happened\n", time.Now())
		w.tree.must(err)
		time.Sleep(5 * time.Millisecond)
	}
	if len(w.steps()) == before {
		w.t.Errorf("a log that grows is not sent for %v although --settle-max is %v", time.Since(begun), watchSettleMax)
	}
	return 2 + int(time.Since(begun)/watchSettleMax)
}

// rebuild makes the same outputs again, as most of a build is.
func (w *watched) rebuild() (most int) {
	dir := filepath.Join(w.tree.root, "build")
	outputs := make([][]byte, patternFiles)
	for i := range outputs {
		outputs[i] = w.tree.bytes(100 + i)
	}
	compile := func() {
		for i, b := range outputs {
			name := filepath.Join(dir, fmt.Sprintf("d%d", i%10), fmt.Sprintf("f%d.o", i))
			w.tree.must(os.MkdirAll(filepath.Dir(name), 0o755))
			w.tree.must(os.WriteFile(name, b, 0o644))
		}
	}
	compile()
	w.rest()
	before, begun := len(w.steps()), time.Now()
	for range 3 {
		w.tree.must(os.RemoveAll(dir))
		compile()
	}
	w.rest()
	again := w.steps()[before:]
	for _, step := range again {
		if strings.HasPrefix(step, "delete") && time.Since(begun) < watchGrace {
			w.t.Errorf("the grace of what was removed was not kept: %s", step)
		}
	}
	return patternFiles + patternFiles*min(3, quietTimes(begun))
}
