package rig

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/event"
)

// Meanwhile has edit called at every point where a run looks or acts: for each name that a scan meets, at each event, and
// before and after each operation of the remote. It is not called concurrently. fault, if it is not nil, is asked what
// becomes of an operation, as Memory.Fail is. End ends it.
func (r *Rig) Meanwhile(edit func(), fault func(enginetest.Op) *enginetest.Fault) (end func()) {
	var mu sync.Mutex
	at := func() {
		mu.Lock()
		defer mu.Unlock()
		edit()
	}
	r.Cfg.Scan.Filter = looked(at)
	r.Events = func(event.Event) { at() }
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		at()
		if fault == nil {
			return nil
		}
		return fault(op)
	}
	r.Remote.Done = func(enginetest.Op) { at() }
	return func() {
		r.Cfg.Scan.Filter, r.Events, r.Remote.Fail, r.Remote.Done = nil, nil, nil, nil
	}
}

// looked is a filter that lets everything through, and is called for each name that a scan meets.
type looked func()

func (f looked) File(string, int64, time.Time) bool { f(); return true }
func (f looked) Dir(string) bool                    { f(); return true }
func (f looked) Markers() []string                  { return nil }

// Upheave makes n random changes of those that move the ground: whole directories take the place of others, of files, of
// what is above them. Few names, so that they collide. Some fail, and that is fine.
func (r *Rig) Upheave(rng *rand.Rand, n int) {
	r.T.Helper()
	for range n {
		r.upheaveOnce(rng)
	}
}

func (r *Rig) upheaveOnce(rng *rand.Rand) {
	name := func() string { return string(rune('a' + rng.IntN(3))) }
	path := func(depth int) string {
		full := r.Source
		for range depth {
			full = filepath.Join(full, name())
		}
		return full
	}
	aside := filepath.Join(filepath.Dir(r.Source), "aside")
	write := func(full string) {
		_ = os.WriteFile(full, []byte(strings.Repeat("u", max(0, rng.IntN(48)-4))), 0o644)
	}
	a, b := path(1+rng.IntN(3)), path(1+rng.IntN(3))
	switch rng.IntN(8) {
	case 0: // a directory takes the place of its parent
		if up := filepath.Dir(a); up != r.Source && os.Rename(a, aside) == nil {
			_ = os.RemoveAll(up)
			_ = os.Rename(aside, up)
		}
	case 1: // and of another one
		if _, err := os.Lstat(a); err == nil && !strings.HasPrefix(a+"/", b+"/") && !strings.HasPrefix(b+"/", a+"/") {
			_ = os.RemoveAll(b)
			_ = os.MkdirAll(filepath.Dir(b), 0o755)
			_ = os.Rename(a, b)
		}
	case 2: // a directory of a file, or of another directory
		_ = os.RemoveAll(a)
		_ = os.MkdirAll(a, 0o755)
		write(filepath.Join(a, name()))
		write(filepath.Join(a, name()))
	case 3: // a file of a directory
		_ = os.MkdirAll(filepath.Dir(a), 0o755)
		_ = os.RemoveAll(a)
		write(a)
	case 4: // a chain
		if c := path(2); os.Rename(b, c) == nil && os.Rename(a, b) == nil {
			write(a)
		}
	case 5: // a new directory takes a name, and what had the name goes into the directory
		if os.Rename(a, aside) == nil {
			_ = os.Mkdir(a, 0o755)
			_ = os.Rename(aside, filepath.Join(a, name()))
		}
	default:
		r.editOnce(rng)
	}
	_ = os.RemoveAll(aside) // what found no place
}
