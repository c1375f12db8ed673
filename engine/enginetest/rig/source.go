package rig

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
)

// Write makes a file with a content, parents included.
func (r *Rig) Write(path, content string) {
	r.T.Helper()
	full := filepath.Join(r.Source, path)
	Must(r.T, os.MkdirAll(filepath.Dir(full), 0o755))
	Must(r.T, os.WriteFile(full, []byte(content), 0o644))
}

func (r *Rig) Mkdir(path string) {
	r.T.Helper()
	Must(r.T, os.MkdirAll(filepath.Join(r.Source, path), 0o755))
}

// Stamp sets a file's mtime.
func (r *Rig) Stamp(path string, when time.Time) {
	r.T.Helper()
	Must(r.T, os.Chtimes(filepath.Join(r.Source, path), when, when))
}

func (r *Rig) Mtime(path string) time.Time {
	r.T.Helper()
	info, err := os.Stat(filepath.Join(r.Source, path))
	Must(r.T, err)
	return info.ModTime()
}

func (r *Rig) Rename(from, to string) {
	r.T.Helper()
	Must(r.T, os.Rename(filepath.Join(r.Source, from), filepath.Join(r.Source, to)))
}

func (r *Rig) Remove(path string) {
	r.T.Helper()
	Must(r.T, os.RemoveAll(filepath.Join(r.Source, path)))
}

// Edit makes n random changes in the source, among few names so that they collide.
func (r *Rig) Edit(rng *rand.Rand, n int) {
	r.T.Helper()
	for range n {
		r.editOnce(rng)
	}
}

func (r *Rig) editOnce(rng *rand.Rand) {
	name := func() string {
		parts := make([]string, 1+rng.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + rng.IntN(3)))
		}
		return filepath.Join(r.Source, filepath.Join(parts...))
	}
	a, b := name(), name()
	// Many of these fail, since a parent is a file or missing: that is no change, and that is fine.
	switch rng.IntN(9) {
	case 0, 1, 2:
		_ = os.MkdirAll(filepath.Dir(a), 0o755)
		_ = os.WriteFile(a, []byte(strings.Repeat("x", rng.IntN(3))+string(rune('p'+rng.IntN(3)))), 0o644)
		if rng.IntN(3) == 0 {
			_ = os.Chtimes(a, archived, archived)
		}
	case 3:
		_ = os.MkdirAll(filepath.Dir(b), 0o755)
		_ = os.Rename(a, b)
	case 4:
		_ = os.RemoveAll(a)
	case 5:
		tmp := filepath.Join(filepath.Dir(r.Source), "swap")
		if os.Rename(a, tmp) == nil {
			if os.Rename(b, a) == nil {
				_ = os.MkdirAll(filepath.Dir(b), 0o755)
			}
			if os.Rename(tmp, b) != nil {
				_ = os.RemoveAll(tmp)
			}
		}
	case 6:
		when := time.Unix(1_000_000_000+rng.Int64N(1000), 0)
		if info, err := os.Lstat(a); err == nil && !info.IsDir() {
			_ = os.Chtimes(a, when, when)
		}
	case 7:
		slip(a)
		_ = os.MkdirAll(filepath.Dir(b), 0o755)
		_ = os.Rename(a, b)
	case 8: // an inode that is free is used again, for a file that shows no difference
		if info, err := os.Lstat(a); err == nil && !info.IsDir() && os.Remove(a) == nil {
			_ = os.MkdirAll(filepath.Dir(b), 0o755)
			_ = os.WriteFile(b, []byte(strings.Repeat("y", int(info.Size()))), 0o644)
			_ = os.Chtimes(b, info.ModTime(), info.ModTime())
		}
	}
}

// archived is the mtime of files from a reproducible archive: many have it.
var archived = time.Unix(1_000_000_000, 0)

// slip edits a file so that its size and mtime stay.
func slip(file string) {
	info, err := os.Lstat(file)
	if err != nil || info.IsDir() {
		return
	}
	content, err := os.ReadFile(file)
	if err != nil || len(content) == 0 {
		return
	}
	content[0]++
	if os.WriteFile(file, content, 0o644) == nil {
		_ = os.Chtimes(file, info.ModTime(), info.ModTime())
	}
}

// Fill writes n files f00, f01, … with distinct contents.
func (r *Rig) Fill(n int) {
	r.T.Helper()
	for i := range n {
		r.Write(fmt.Sprintf("f%02d", i), fmt.Sprintf("content %d", i))
	}
}

// Unmount makes the journal believe that dir was a file system of its own, and empties it: so it looks
// when one is not mounted any more.
func (r *Rig) Unmount(dir string) {
	r.T.Helper()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		Must(r.T, journal.Update(j, func(s *journal.EngineState) { s.Mounts = map[string]uint64{dir: 42} }))
	})
	entries, err := os.ReadDir(filepath.Join(r.Source, dir))
	Must(r.T, err)
	for _, e := range entries {
		r.Remove(filepath.Join(dir, e.Name()))
	}
}
