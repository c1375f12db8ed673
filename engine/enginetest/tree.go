package enginetest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Node is one path of a Memory, for comparison.
type Node struct {
	Path    string
	Kind    snapshot.Kind
	Content string // of a symlink, its target
	Mtime   time.Time
}

// Put places a file as another program would, parents included.
func (m *Memory) Put(path, content string, mtime time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parents(path)
	m.set(path, snapshot.Entry{Kind: snapshot.File, Mtime: mtime.UnixNano()}, content)
}

// Remove takes a path away as another program would, with everything beneath it.
func (m *Memory) Remove(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.beneath(path) {
		delete(m.nodes, m.key(n.path))
	}
	delete(m.nodes, m.key(path))
}

// Tree returns everything on the remote in the order of a depth-first walk, temporary files too.
func (m *Memory) Tree() []Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return list(m.nodes)
}

// Backups returns what Backup set aside, under the paths where it was.
func (m *Memory) Backups() []Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return list(m.backups)
}

func list(nodes map[string]*node) []Node {
	out := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, Node{n.path, n.entry.Kind, n.content, n.entry.ModTime()})
	}
	slices.SortFunc(out, func(a, b Node) int { return snapshot.ComparePaths(a.Path, b.Path) })
	return out
}

// String shows the tree, one path a line: "a/", "a/f \"content\"", "l -> target".
func (m *Memory) String() string {
	var b strings.Builder
	for _, n := range m.Tree() {
		switch n.Kind {
		case snapshot.Dir:
			fmt.Fprintf(&b, "%s/\n", n.Path)
		case snapshot.Symlink:
			fmt.Fprintf(&b, "%s -> %s\n", n.Path, n.Content)
		default:
			fmt.Fprintf(&b, "%s %q\n", n.Path, n.Content)
		}
	}
	return b.String()
}

// set stores a file or symlink. The caller holds m.mu.
func (m *Memory) set(path string, e snapshot.Entry, content string) {
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	n := &node{path: path, content: content, uploaded: now()}
	n.entry = snapshot.Entry{Kind: e.Kind, Size: int64(len(content)), Mtime: m.stamp(e.Mtime, n.uploaded)}
	m.nodes[m.key(path)] = n
}

// stamp is what the remote keeps of an mtime.
func (m *Memory) stamp(mtime int64, uploaded time.Time) int64 {
	if m.Caps.Precision == 0 {
		return uploaded.UnixNano()
	}
	return remote.Truncate(mtime, m.Caps.Precision)
}

// parents makes the directories above path, and reports the file that is in the way of one.
func (m *Memory) parents(path string) (inTheWay string) {
	if m.Caps.BucketBased {
		return ""
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		switch n := m.get(dir); {
		case n == nil:
			m.nodes[m.key(dir)] = &node{path: dir, entry: snapshot.Entry{Kind: snapshot.Dir}}
		case n.entry.Kind != snapshot.Dir:
			return n.path
		}
	}
	return ""
}

// prune removes the directories above path that are empty, where the remote cannot have such.
func (m *Memory) prune(path string) {
	if m.Caps.EmptyDirs || m.Caps.BucketBased {
		return
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if len(m.beneath(dir)) > 0 {
			return
		}
		delete(m.nodes, m.key(dir))
	}
}

// remote returns n as a listing shows it.
func (m *Memory) remote(n *node) remote.Object {
	e := n.entry
	e.Flags = snapshot.Adopted
	if e.Kind != snapshot.Dir && m.Caps.Hash != snapshot.NoHash {
		e.HashType, e.Hash = m.Caps.Hash, sum(m.Caps.Hash, n.content)
	}
	_, name := snapshot.Split(n.path)
	return remote.Object{Path: n.path, Entry: e, Uploaded: n.uploaded, Temporary: remote.IsTempName(name)}
}

// sum is the hash that a listing gives, as snapshot.Hash says.
func sum(t snapshot.HashType, content string) (h snapshot.Hash) {
	switch t.String() {
	case "xxh128":
		return snapshot.Hash(xxh3.HashString128(content).Bytes())
	case "md5":
		return snapshot.Hash(md5.Sum([]byte(content)))
	case "sha1":
		s := sha1.Sum([]byte(content))
		copy(h[:], s[:])
	case "sha256":
		s := sha256.Sum256([]byte(content))
		copy(h[:], s[:])
	default:
		panic("enginetest: no such hash here: " + t.String())
	}
	return h
}
