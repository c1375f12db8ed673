package snapshot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rig is a source in a temporary directory with the base that the last scan left, and with hooks
// between the scan and the system.
type rig struct {
	t      *testing.T
	cfg    Config
	base   map[string]Entry
	open   opener
	faults faults
	last   *memory // the base that the last scan was given
}

// systems are the implementations of directory.
var systems = map[string]opener{"native": openDirectory, "portable": openPortable}

// eachSystem runs a test on both implementations of directory.
func eachSystem(t *testing.T, test func(t *testing.T, r *rig)) {
	for name, open := range systems {
		t.Run(name, func(t *testing.T) { test(t, newRig(t, open)) })
	}
}

func newRig(t *testing.T, open opener) *rig {
	return &rig{t: t, open: open, cfg: Config{
		Root: t.TempDir(),
		// Late enough that nothing written by the test is racy.
		Now: func() time.Time { return time.Now().Add(time.Hour) },
	}}
}

func (r *rig) at(path string) string { return filepath.Join(r.cfg.Root, path) }

// write makes files, each with its own path as content unless the path has "=content" behind it;
// those that end in a slash become directories.
func (r *rig) write(paths ...string) {
	r.t.Helper()
	for _, path := range paths {
		path, content, ok := strings.Cut(path, "=")
		if !ok {
			content = path
		}
		full := r.at(path)
		if strings.HasSuffix(path, "/") {
			r.must(os.MkdirAll(full, 0o755))
			continue
		}
		r.must(os.MkdirAll(filepath.Dir(full), 0o755))
		r.must(os.WriteFile(full, []byte(content), 0o644))
	}
}

func (r *rig) remove(paths ...string) {
	r.t.Helper()
	for _, path := range paths {
		r.must(os.RemoveAll(r.at(path)))
	}
}

func (r *rig) rename(from, to string) { r.t.Helper(); r.must(os.Rename(r.at(from), r.at(to))) }

func (r *rig) link(target, path string) { r.t.Helper(); r.must(os.Symlink(target, r.at(path))) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// flag sets flags on entries of the base.
func (r *rig) flag(flags Flags, paths ...string) {
	r.t.Helper()
	for _, path := range paths {
		e, ok := r.base[path]
		if !ok {
			r.t.Fatalf("flag: the base has no %q", path)
		}
		e.Flags |= flags
		r.base[path] = e
	}
}

func (r *rig) scan() *Head {
	r.t.Helper()
	head, err := r.tryScan(r.t.Context())
	r.must(err)
	return head
}

func (r *rig) tryScan(ctx context.Context) (*Head, error) {
	r.t.Helper()
	r.last = newMemory(r.t, r.base)
	head, err := scan(ctx, r.cfg, r.last, r.faults.in(r.open))
	r.last.closed()
	if err == nil {
		r.check(head)
	}
	return head, err
}

// sync scans and makes the head the base.
func (r *rig) sync() {
	r.t.Helper()
	head := r.scan()
	r.base, r.cfg.Mounts = applied(r.base, head.Changes), head.Mounts
}

// expect scans and compares what was found, as text: see describe.
func (r *rig) expect(want ...string) *Head {
	r.t.Helper()
	head := r.scan()
	if diff := cmp.Diff(want, describe(head)); diff != "" {
		r.t.Errorf("scan (-want +got):\n%s", diff)
	}
	return head
}

// describe says what a head holds, one finding a line: "+a" is new, "-a" is gone, "~a" is both there
// and in the base, directories end in a slash ("~a/ f" is one that was a file, "~a d" the reverse),
// "!a" is a problem, "?a 3" is unproven with 3 files kept.
func describe(h *Head) []string {
	var lines []string
	slash := func(e *Entry) string {
		if e.Kind == Dir {
			return "/"
		}
		return ""
	}
	for _, c := range h.Changes {
		switch {
		case c.Old == nil:
			lines = append(lines, "+"+c.Path+slash(c.New))
		case c.New == nil:
			lines = append(lines, "-"+c.Path+slash(c.Old))
		case c.Old.Kind != c.New.Kind:
			lines = append(lines, "~"+c.Path+slash(c.New)+" "+c.Old.Kind.String()[:1])
		default:
			lines = append(lines, "~"+c.Path+slash(c.New))
		}
	}
	for _, p := range h.Problems {
		lines = append(lines, "!"+p.Path)
	}
	for _, c := range h.Covered {
		lines = append(lines, "^"+c.Path)
	}
	for _, u := range h.Unproven {
		lines = append(lines, fmt.Sprintf("?%s %d", u.Path, u.Kept))
	}
	return lines
}

// check holds a head against what its type promises.
func (r *rig) check(h *Head) {
	r.t.Helper()
	changed := make(map[string]bool)
	for i, c := range h.Changes {
		changed[c.Path] = true
		if i > 0 && ComparePaths(h.Changes[i-1].Path, c.Path) >= 0 {
			r.t.Errorf("changes out of order: %q, %q", h.Changes[i-1].Path, c.Path)
		}
		if c.New != nil {
			if err := c.New.Validate(); err != nil || c.New.Flags&^Racy != 0 {
				r.t.Errorf("change %q: new entry %+v: %v", c.Path, *c.New, err)
			}
		}
		old, ok := r.base[c.Path]
		if ok != (c.Old != nil) || ok && old != *c.Old {
			r.t.Errorf("change %q: old entry is %+v, the base has %+v", c.Path, c.Old, old)
		}
		for _, u := range h.Unproven {
			if c.New == nil && (c.Path == u.Path || Beneath(c.Path, u.Path)) {
				r.t.Errorf("%q is removed beneath the unproven %q", c.Path, u.Path)
			}
		}
	}
	for _, p := range h.Problems {
		if changed[p.Path] {
			r.t.Errorf("%q is a problem and a change", p.Path)
		}
	}
}

// faults are what goes wrong, by path. A function runs just before the call that it is named after.
type faults struct {
	mu                       sync.Mutex
	openErr, listErr         map[string]error
	statErr, lookupErr       map[string]error
	beforeOpen, beforeLookup map[string]func()
	afterList, afterOpen     map[string]func()
	partial                  int // names that a listing with an error gives
	opened                   []string
}

// in returns open with the faults in what it opens.
func (f *faults) in(open opener) opener {
	return func(root string, links bool) (directory, error) {
		d, err := open(root, links)
		if err != nil {
			return nil, err
		}
		return &faultyDirectory{directory: d, faults: f}, nil
	}
}

func (f *faults) run(hooks map[string]func(), path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if hook := hooks[path]; hook != nil {
		delete(hooks, path)
		hook()
	}
}

type faultyDirectory struct {
	directory
	faults *faults
	path   string
}

func (d *faultyDirectory) open(path string) (opened, error) {
	d.path = path
	d.faults.mu.Lock()
	d.faults.opened = append(d.faults.opened, path)
	d.faults.mu.Unlock()
	d.faults.run(d.faults.beforeOpen, path)
	if err := d.faults.openErr[path]; err != nil {
		return opened{}, err
	}
	o, err := d.directory.open(path)
	d.faults.run(d.faults.afterOpen, path)
	return o, err
}

func (d *faultyDirectory) list() (int, error) { return d.listed(d.directory.list()) }

func (d *faultyDirectory) pick(names []string) (int, error) { return d.listed(d.directory.pick(names)) }

func (d *faultyDirectory) listed(n int, err error) (int, error) {
	d.faults.run(d.faults.afterList, d.path)
	if fault := d.faults.listErr[d.path]; fault != nil {
		return min(n, d.faults.partial), fault
	}
	return n, err
}

func (d *faultyDirectory) stat(i int, e *Entry) error {
	if err := d.faults.statErr[Join(d.path, string(d.name(i)))]; err != nil {
		return err
	}
	return d.directory.stat(i, e)
}

func (d *faultyDirectory) lookup(name []byte) error {
	path := Join(d.path, string(name))
	d.faults.run(d.faults.beforeLookup, path)
	if err := d.faults.lookupErr[path]; err != nil {
		return err
	}
	return d.directory.lookup(name)
}
