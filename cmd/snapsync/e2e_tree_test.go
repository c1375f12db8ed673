//go:build linux

package main_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tree is a directory that is changed at random, in all the ways in which people and programs
// change directories. The same seed makes the same changes. Few names and directories, so that
// what is renamed often lands where something else was a moment ago.
type tree struct {
	t     *testing.T
	root  string
	rng   *rand.Rand
	names []string // that the remote can hold
	log   []string // what was done, for the report of a failure

	seen       map[string]uint64 // inodes, when the last run ended
	silent     map[uint64]bool   // inodes of files that were edited since, and kept their size and mtime
	duplicated map[sum]bool      // content that got a second file since the last unheardOf
}

// The names are nasty on purpose; each is legal on Linux and, as rclone encodes it, on every remote.
var oddNames = []string{
	"a", "b", "c", "A", "report.txt", "photo.jpg", "new\nline", "tab\there", `quote'"s`, " leading", "trailing ",
	"dot.", "-dash", "100%41", "#?&;=+", `back\slash`, "*<>|:", "grün", "gru\u0308n", "日本語", "invalid\xff\xfe",
	"~tilde", "$HOME", "[x]{y}", ".hidden", "name.partial", "long-" + strings.Repeat("x", 100),
}

func newTree(t *testing.T, root string, seed uint64) *tree {
	return &tree{t: t, root: root, rng: rand.New(rand.NewPCG(seed, 0)), names: oddNames, duplicated: map[sum]bool{}, silent: map[uint64]bool{}}
}

// plant fills the empty tree; one file is big enough to be sent in several parts to S3.
func (tr *tree) plant(files int) {
	for range files {
		tr.create()
	}
	big := filepath.Join(tr.root, "big.bin")
	tr.write(big, 12<<20)
	tr.did("create", big)
}

// mutate does n changes. Some find nothing to change and count all the same.
func (tr *tree) mutate(n int) {
	kinds := []func(){
		tr.create, tr.create, tr.overwrite, tr.extend, tr.truncate, tr.touch, tr.saveByRename,
		tr.renameFile, tr.renameFile, tr.renameDir, tr.swap, tr.chain, tr.fileToDir, tr.dirToFile, tr.remove,
		tr.removeDir, tr.link, tr.duplicate, tr.moveAndEdit, tr.emptyDir, tr.comeAndGo,
	}
	for range n {
		kinds[tr.rng.IntN(len(kinds))]()
	}
	tr.editKeepingMtime()
}

func (tr *tree) create() {
	path := tr.place()
	tr.write(path, tr.size())
	tr.did("create", path)
}

func (tr *tree) overwrite() {
	if path, ok := tr.file(); ok {
		tr.write(path, tr.stat(path).Size())
		tr.did("overwrite in the same size", path)
	}
}

// editKeepingMtime is what some editors, and all that restore timestamps, do: only ctime tells. A
// file that was renamed as well has a new ctime anyway, and is beyond what any stat can show, so
// it takes one that is where the last run saw it.
func (tr *tree) editKeepingMtime() {
	path, ok := tr.file()
	now := tr.inodes()
	if !ok || tr.seen[path] != now[path] || tr.renamed(now[path], now) {
		return
	}
	info := tr.stat(path)
	tr.write(path, info.Size())
	tr.must(os.Chtimes(path, time.Time{}, info.ModTime()))
	tr.silent[tr.seen[path]] = true
	tr.did("overwrite in the same size with the same mtime", path)
}

// renamed says whether a file, which may have other names as well, has lost one and won one since the last run.
func (tr *tree) renamed(inode uint64, now map[string]uint64) bool {
	lost, won := false, false
	for path, was := range tr.seen {
		lost = lost || was == inode && now[path] != inode
	}
	for path, is := range now {
		won = won || is == inode && tr.seen[path] != inode
	}
	return lost && won
}

// settled notes that a run has ended, and has seen everything.
func (tr *tree) settled() {
	tr.seen = tr.inodes()
	clear(tr.silent)
}

// movable is a file whose renaming is not taken for what explains its new ctime: see the README's limits.
func (tr *tree) movable() (path string, ok bool) {
	path, ok = tr.file()
	return path, ok && !tr.silent[tr.stat(path).Sys().(*syscall.Stat_t).Ino]
}

// inodes are those of all files.
func (tr *tree) inodes() map[string]uint64 {
	all := map[string]uint64{}
	tr.walk(func(path string, e fs.DirEntry) {
		if e.Type().IsRegular() {
			all[path] = tr.stat(path).Sys().(*syscall.Stat_t).Ino
		}
	})
	return all
}

func (tr *tree) extend() {
	if path, ok := tr.file(); ok {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		tr.must(err)
		_, err = f.Write(tr.bytes(1 + tr.rng.IntN(100)))
		tr.must(err)
		tr.must(f.Close())
		tr.did("append to", path)
	}
}

func (tr *tree) truncate() {
	if path, ok := tr.file(); ok {
		tr.must(os.Truncate(path, tr.stat(path).Size()/2))
		tr.did("truncate", path)
	}
}

func (tr *tree) touch() {
	if path, ok := tr.file(); ok {
		when := time.Date(2001+tr.rng.IntN(30), 3, 1, 2, 3, 4, tr.rng.IntN(1e9), time.UTC)
		tr.must(os.Chtimes(path, time.Time{}, when))
		tr.did("touch", path)
	}
}

func (tr *tree) saveByRename() {
	if path, ok := tr.file(); ok {
		temp := filepath.Join(filepath.Dir(path), ".save~")
		tr.write(temp, tr.size())
		tr.must(os.Rename(temp, path))
		tr.did("save by rename", path)
	}
}

func (tr *tree) renameFile() {
	if path, ok := tr.movable(); ok {
		to := tr.place()
		tr.must(os.Rename(path, to))
		tr.did("rename", path, to)
	}
}

func (tr *tree) renameDir() {
	if dir, ok := tr.dir(); ok {
		if to := tr.place(); tr.free(to) && !inside(to, dir) {
			tr.must(os.Rename(dir, to))
			tr.did("rename directory", dir, to)
		}
	}
}

func (tr *tree) swap() {
	a, ok := tr.movable()
	if b, ok2 := tr.movable(); ok && ok2 && a != b {
		tr.rotate(a, b)
		tr.did("swap", a, b)
	}
}

// chain moves a to where b was, b to where c was, and c to a place of its own.
func (tr *tree) chain() {
	a, ok := tr.movable()
	b, ok2 := tr.movable()
	if to := tr.place(); ok && ok2 && a != b && tr.free(to) {
		tr.must(os.Rename(b, to))
		tr.must(os.Rename(a, b))
		tr.did("rename in a chain", a, b, to)
	}
}

func (tr *tree) fileToDir() {
	if path, ok := tr.file(); ok {
		tr.must(os.Remove(path))
		tr.write(filepath.Join(path, tr.name()), tr.size())
		tr.did("replace by a directory", path)
	}
}

func (tr *tree) dirToFile() {
	if dir, ok := tr.dir(); ok {
		tr.must(os.RemoveAll(dir))
		tr.write(dir, tr.size())
		tr.did("replace by a file", dir)
	}
}

func (tr *tree) remove() {
	if path, ok := tr.file(); ok {
		tr.must(os.Remove(path))
		tr.did("delete", path)
	}
}

func (tr *tree) removeDir() {
	if dir, ok := tr.dir(); ok {
		tr.must(os.RemoveAll(dir))
		tr.did("delete directory", dir)
	}
}

func (tr *tree) link() {
	if path, ok := tr.movable(); ok { // to lose the old name later is to be renamed
		if to := tr.place(); tr.free(to) {
			tr.duplicated[sha256.Sum256(tr.read(path))] = true
			tr.must(os.Link(path, to))
			tr.did("hard link", path, to)
		}
	}
}

func (tr *tree) duplicate() {
	if path, ok := tr.file(); ok {
		if to := tr.place(); tr.free(to) {
			b := tr.read(path)
			tr.duplicated[sha256.Sum256(b)] = true
			tr.must(os.WriteFile(to, b, 0o644))
			tr.did("copy", path, to)
		}
	}
}

func (tr *tree) moveAndEdit() {
	if path, ok := tr.movable(); ok {
		to := tr.place()
		tr.must(os.Rename(path, to))
		tr.write(to, tr.size())
		tr.did("rename and edit", path, to)
	}
}

func (tr *tree) emptyDir() {
	path := tr.place()
	if tr.free(path) {
		tr.must(os.Mkdir(path, 0o755))
		tr.did("make an empty directory", path)
	}
}

// comeAndGo leaves no trace: nothing of it may reach the remote.
func (tr *tree) comeAndGo() {
	path := tr.place()
	if tr.free(path) {
		tr.write(path, tr.size())
		tr.must(os.Remove(path))
		tr.did("create and delete", path)
	}
}

// --- picking ---

// place is where something may be put: a file or nothing is there, and its directory exists.
func (tr *tree) place() string {
	for {
		dir := tr.root
		for tr.rng.IntN(3) > 0 {
			dir = filepath.Join(dir, []string{"d", "e", "dir " + tr.name()}[tr.rng.IntN(3)])
		}
		if os.MkdirAll(dir, 0o755) != nil {
			continue // a file is in the way
		}
		path := filepath.Join(dir, tr.name())
		if info, err := os.Lstat(path); err != nil || !info.IsDir() {
			return path
		}
	}
}

func (tr *tree) name() string { return tr.names[tr.rng.IntN(len(tr.names))] }

// size is often tiny, sometimes nothing, now and then large.
func (tr *tree) size() int64 {
	switch tr.rng.IntN(10) {
	case 0:
		return 0
	case 1:
		return tr.rng.Int64N(1 << 20)
	}
	return tr.rng.Int64N(200)
}

func (tr *tree) file() (path string, ok bool) {
	return tr.pick(func(e fs.DirEntry) bool { return e.Type().IsRegular() })
}

func (tr *tree) dir() (path string, ok bool) {
	return tr.pick(fs.DirEntry.IsDir)
}

func (tr *tree) pick(want func(fs.DirEntry) bool) (string, bool) {
	var all []string
	tr.walk(func(path string, e fs.DirEntry) {
		if want(e) {
			all = append(all, path)
		}
	})
	if len(all) == 0 {
		return "", false
	}
	return all[tr.rng.IntN(len(all))], true
}

// walk visits all but the root, in byte order, so that a seed means the same everywhere.
func (tr *tree) walk(visit func(path string, e fs.DirEntry)) {
	tr.must(filepath.WalkDir(tr.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && path != tr.root {
			visit(path, e)
		}
		return err
	}))
}

// contents counts the files by what they hold.
func (tr *tree) contents() map[sum]content {
	all := map[sum]content{}
	tr.walk(func(path string, e fs.DirEntry) {
		if e.Type().IsRegular() {
			b := tr.read(path)
			key := sha256.Sum256(b)
			all[key] = content{size: int64(len(b)), files: all[key].files + 1, path: path}
		}
	})
	return all
}

type sum = [sha256.Size]byte

type content struct {
	size, files int64
	path        string // of one of the files
}

// unheardOf is how many bytes must travel, at most, to a remote that holds before: those of content
// that is there in more files than before. Content that has, or had, several files counts in all of
// them: when one is renamed and another edited, there are several good ways to tell what happened.
func (tr *tree) unheardOf(before, after map[sum]content) (size int64) {
	for key, c := range after {
		if c.files > 1 || before[key].files != 1 || tr.duplicated[key] {
			size += c.size * c.files
		}
	}
	clear(tr.duplicated)
	return size
}

// circles is how many bytes more must travel to a remote that can copy but not move, for files that took
// each other's places: the smallest of each circle.
func circles(before, after map[sum]content) (size int64) {
	was := make(map[string]sum)
	for key, c := range before {
		was[c.path] = key
	}
	seen := make(map[sum]bool)
	for first := range before {
		smallest := before[first].size
		for at := first; !seen[at]; {
			seen[at] = true
			there, ok := was[after[at].path] // what it took the place of
			if !ok || there == at {
				break
			}
			if at = there; at == first {
				size += smallest
			}
			smallest = min(smallest, before[at].size)
		}
	}
	return size
}

// --- doing ---

func (tr *tree) write(path string, size int64) {
	tr.must(os.MkdirAll(filepath.Dir(path), 0o755))
	tr.must(os.WriteFile(path, tr.bytes(int(size)), 0o644))
}

func (tr *tree) read(path string) []byte {
	b, err := os.ReadFile(path)
	tr.must(err)
	return b
}

func (tr *tree) bytes(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		word := tr.rng.Uint64()
		for j := i; j < min(i+8, n); j++ {
			b[j] = byte(word >> (8 * (j - i)))
		}
	}
	return b
}

func (tr *tree) rotate(a, b string) {
	temp := filepath.Join(tr.root, ".rotate~")
	tr.must(os.Rename(a, temp))
	tr.must(os.Rename(b, a))
	tr.must(os.Rename(temp, b))
}

func (tr *tree) free(path string) bool {
	_, err := os.Lstat(path)
	return os.IsNotExist(err)
}

func (tr *tree) stat(path string) fs.FileInfo {
	info, err := os.Lstat(path)
	tr.must(err)
	return info
}

func (tr *tree) did(what string, paths ...string) {
	for _, p := range paths {
		rel, _ := filepath.Rel(tr.root, p)
		what += fmt.Sprintf(" %q", rel)
	}
	tr.log = append(tr.log, what)
}

func (tr *tree) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatalf("change the tree: %v", err)
	}
}

func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && (len(rel) < 3 || rel[:3] != "../")
}
