package snapshot

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// memory is a Base in memory: path to entry. It complains when it is misused.
type memory struct {
	t    testing.TB
	dirs map[string][]memoryRow
	tree map[string]Entry
	mu   sync.Mutex
	open int
	all  int // readers that there were
	rows int // children that were read, other than by name
}

type memoryRow struct {
	name  string
	entry Entry
}

func newMemory(t testing.TB, tree map[string]Entry) *memory {
	b := &memory{t: t, tree: tree, dirs: make(map[string][]memoryRow)}
	for path, e := range tree {
		if err := e.Validate(); err != nil {
			t.Errorf("base: %q: %v", path, err)
		}
		dir, name := Split(path)
		b.dirs[dir] = append(b.dirs[dir], memoryRow{name, e})
	}
	for _, rows := range b.dirs {
		slices.SortFunc(rows, func(x, y memoryRow) int { return strings.Compare(x.name, y.name) })
	}
	return b
}

func (b *memory) Reader() (BaseReader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	b.all++
	return &memoryReader{base: b}, nil
}

// closed fails the test if a reader was left open.
func (b *memory) closed() {
	b.t.Helper()
	if b.open != 0 {
		b.t.Errorf("%d readers of the base are still open", b.open)
	}
}

type memoryReader struct {
	base *memory
	rows []memoryRow
	name []byte
	row  Entry
	shut bool
}

func (r *memoryReader) Open(dir string) error {
	r.scribble()
	r.rows = r.base.dirs[dir]
	return nil
}

func (r *memoryReader) Next() ([]byte, *Entry, error) {
	r.scribble()
	if len(r.rows) == 0 {
		return nil, nil, nil
	}
	r.base.mu.Lock()
	r.base.rows++
	r.base.mu.Unlock()
	r.name = append(r.name[:0], r.rows[0].name...)
	r.row = r.rows[0].entry
	r.rows = r.rows[1:]
	return r.name, &r.row, nil
}

func (r *memoryReader) Find(dir, name string) (*Entry, error) {
	r.scribble()
	rows := r.base.dirs[dir]
	i, found := slices.BinarySearchFunc(rows, name, func(row memoryRow, name string) int { return strings.Compare(row.name, name) })
	if !found {
		return nil, nil
	}
	r.row = rows[i].entry
	return &r.row, nil
}

// scribble spoils what was handed out before, to catch those who keep it.
func (r *memoryReader) scribble() {
	if r.shut {
		r.base.t.Error("base reader used after Close")
	}
	for i := range r.name {
		r.name[i] = '!'
	}
	r.row = Entry{}
}

func (r *memoryReader) Close() error {
	r.base.mu.Lock()
	defer r.base.mu.Unlock()
	r.base.open--
	r.shut = true
	return nil
}

// applied returns tree with the changes of a head made to it.
func applied(tree map[string]Entry, changes []Change) map[string]Entry {
	next := maps.Clone(tree)
	if next == nil {
		next = make(map[string]Entry)
	}
	for _, c := range changes {
		if c.New == nil {
			delete(next, c.Path)
		} else {
			next[c.Path] = *c.New
		}
	}
	return next
}
