package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TB is the part of testing.TB that a Memory needs: complaints go to Errorf. *rapid.T has it too.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Memory is a remote in memory. Its exported fields are set before the first Connect.
type Memory struct {
	Caps    remote.Caps
	Key     func(path string) string // paths that it gives one key are one, whatever Caps say; nil: the path, or as Caps say
	Lenient bool                     // misuse is an error, but no failure of the test
	Now     func() time.Time         // of uploads, where Precision is 0; nil: time.Now
	Latency time.Duration            // of each operation
	Places  []remote.Place           // what its Connections say; not to be changed while one of their methods runs

	// Fail is asked before each operation whether it fails; nil: none does. It is not called
	// concurrently.
	Fail func(Op) *Fault
	// Lie is asked before each operation that does not fail what is done in its stead; nil: each is done. It is not
	// called concurrently.
	Lie func(Op) Lie
	// Done is called after each operation, whatever became of it, and may be called concurrently; nil: nobody is told.
	Done func(Op)

	t  TB
	mu sync.Mutex // guards what follows

	nodes   map[string]*node // by key(path)
	backups map[string]*node
	busy    map[int]use // paths of the operations under way, by number
	ops     int
	counts  map[string]int
	log     []string
	offline bool
}

// node is a file or directory. Nodes are immutable: an operation replaces them.
type node struct {
	path     string
	entry    snapshot.Entry // Kind, Size, Mtime
	content  string
	uploaded time.Time
}

// Op is one operation, as Fail and the log see it.
type Op struct {
	N    int    // from 1
	Name string // "send", "move", "dirmove", "copy", "touch", "mkdir", "delete", "rmdir", "backup", "stat", "hash", "list", "cleanup", "probe"
	Path string // the first one of a delete
	From string // of a move and a copy
}

func (o Op) String() string {
	if o.From != "" {
		return o.Name + " " + o.From + " -> " + o.Path
	}
	return strings.TrimRight(o.Name+" "+o.Path, " ")
}

// When says what of a failing operation takes effect.
type When uint8

const (
	Before When = iota // nothing
	After              // everything, although the caller gets the error
	Torn               // of a Send: half the content, under the temporary name; else nothing
)

// Lie is what an operation does that says it is done.
type Lie uint8

const (
	Truth   Lie = iota
	Nothing     // nothing
	Twice       // what it should, two times
	Altered     // what it should, with other content of the same size
)

// Fault is how an operation fails.
type Fault struct {
	When When
	Err  error // nil with Hang: the context's
	Hang bool  // only return when the context is done
}

// NewMemory returns an empty remote that reports misuse to t.
func NewMemory(t TB, caps remote.Caps) *Memory {
	return &Memory{
		Caps: caps, t: t,
		nodes: map[string]*node{}, backups: map[string]*node{},
		busy: map[int]use{}, counts: map[string]int{},
	}
}

// Connect opens a Connection. It has the signature of engine.Config.Connect. While the remote is
// offline it fails like everything else.
func (m *Memory) Connect(ctx context.Context, _ remote.Uploads) (remote.Connection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.offline {
		return nil, fmt.Errorf("connect: %w", remote.ErrOffline)
	}
	return &connection{m: m}, nil
}

// FailNth makes the n-th operation from now fail, and only that one.
func (m *Memory) FailNth(n int, f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.ops + n
	m.Fail = func(op Op) *Fault {
		if op.N != at {
			return nil
		}
		return &f
	}
}

// SetOffline makes every operation fail with ErrOffline, without effect, until it is called again.
func (m *Memory) SetOffline(offline bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offline = offline
}

// Ops returns how many operations were begun.
func (m *Memory) Ops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// Count returns how many operations of that name were begun.
func (m *Memory) Count(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[name]
}

// Log returns the operations so far, one a line, in the order in which they took effect; one that failed has the reason. It
// is deterministic if the engine uses one worker.
func (m *Memory) Log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.log) == 0 {
		return ""
	}
	return strings.Join(m.log, "\n") + "\n"
}

// ResetLog forgets the log and the counts, but not the number of operations.
func (m *Memory) ResetLog() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = nil
	clear(m.counts)
}

var errMisuse = errors.New("misused")

// misuse complains. The caller holds m.mu.
func (m *Memory) misuse(op Op, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if !m.Lenient {
		m.t.Helper()
		m.t.Errorf("misuse of the remote: %v: %s", op, what)
	}
	return fmt.Errorf("%v: %w: %s", op, errMisuse, what)
}

// run executes one operation: apply does its work under m.mu. The operation may not share paths with any other that is
// under way.
func (m *Memory) run(ctx context.Context, op Op, paths []string, apply func() error, torn func()) error {
	fault, done, err := m.begin(&op, paths)
	if err != nil {
		return err
	}
	if m.Done != nil {
		defer func() { m.Done(op) }()
	}
	defer done()
	if err := m.wait(ctx, fault); err != nil {
		return m.ended(op, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if fault == nil || fault.When == After {
		err = m.apply(op, fault, apply)
	}
	if fault == nil {
		m.record(op, err)
		return err
	}
	if fault.When == Torn && torn != nil {
		torn()
	}
	m.log = append(m.log, fmt.Sprintf("%v: %v, %v", op, fault.Err, fault.When))
	return fmt.Errorf("%v: %w", op, fault.Err)
}

// apply does an operation, or what it lies about.
func (m *Memory) apply(op Op, fault *Fault, do func() error) error {
	lie := Truth
	if fault == nil && m.Lie != nil {
		lie = m.Lie(op)
	}
	if lie == Nothing {
		return nil
	}
	err := do()
	switch n := m.get(op.Path); {
	case lie == Twice && err == nil:
		err = do()
	case lie == Altered && n != nil && n.entry.Kind != snapshot.Dir:
		other := *n
		other.content = strings.Repeat("?", len(n.content))
		m.nodes[m.key(op.Path)] = &other
	}
	return err
}

func (w When) String() string {
	return [...]string{Before: "not applied", After: "but applied", Torn: "torn"}[w]
}

// begin numbers the operation, checks that it overlaps no other and decides its fate.
func (m *Memory) begin(op *Op, paths []string) (*Fault, func(), error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops++
	op.N = m.ops
	m.counts[op.Name]++
	var fault *Fault
	if m.Fail != nil {
		fault = m.Fail(*op)
	}
	if m.offline {
		fault = &Fault{Err: remote.ErrOffline}
	}
	for _, p := range paths {
		if err := checkPath(p); err != nil {
			return nil, nil, m.misuse(*op, "%v", err)
		}
	}
	mine := useOf(op, paths)
	for _, other := range m.busy {
		if p, q, ok := mine.clash(other); ok {
			return nil, nil, m.misuse(*op, "%q is under way together with %q", p, q)
		}
	}
	n := op.N
	m.busy[n] = mine
	return fault, func() { m.mu.Lock(); delete(m.busy, n); m.mu.Unlock() }, nil
}

// wait takes the time that the operation takes.
func (m *Memory) wait(ctx context.Context, fault *Fault) error {
	if fault != nil && fault.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if m.Latency > 0 {
		timer := time.NewTimer(m.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// ended logs an operation whose context was done before it took effect.
func (m *Memory) ended(op Op, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record(op, err)
	return fmt.Errorf("%v: %w", op, err)
}

func (m *Memory) record(op Op, err error) {
	line := op.String()
	if err != nil {
		line += ": " + strings.TrimPrefix(err.Error(), line+": ")
	}
	m.log = append(m.log, line)
}

func checkPath(path string) error {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) {
			return fmt.Errorf("%q cannot be a path", path)
		}
	}
	return nil
}

// use is what an operation does with paths: several may read one.
type use struct{ writes, reads []string }

func useOf(op *Op, paths []string) use {
	switch op.Name {
	case "copy":
		return use{writes: []string{op.Path}, reads: []string{op.From}}
	case "stat", "hash":
		return use{reads: paths}
	}
	return use{writes: paths}
}

func (u use) clash(o use) (p, q string, clash bool) {
	for _, pair := range [][2][]string{{u.writes, o.writes}, {u.writes, o.reads}, {u.reads, o.writes}} {
		if p, q, clash = overlap(pair[0], pair[1]); clash {
			return p, q, true
		}
	}
	return "", "", false
}

// overlap returns a pair that is equal or one above the other.
func overlap(paths, others []string) (string, string, bool) {
	for _, p := range paths {
		for _, q := range others {
			if p == q || snapshot.Beneath(p, q) || snapshot.Beneath(q, p) {
				return p, q, true
			}
		}
	}
	return "", "", false
}

// key is what identifies a path on this remote.
func (m *Memory) key(path string) string {
	if m.Key != nil {
		return m.Key(path)
	}
	if m.Caps.CaseInsensitive {
		return strings.ToLower(path)
	}
	return path
}

func (m *Memory) get(path string) *node { return m.nodes[m.key(path)] }

// beneath returns the nodes inside dir, sorted.
func (m *Memory) beneath(dir string) []*node {
	var found []*node
	key := m.key(dir)
	for k, n := range m.nodes {
		if snapshot.Beneath(k, key) {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b *node) int { return snapshot.ComparePaths(a.path, b.path) })
	return found
}
