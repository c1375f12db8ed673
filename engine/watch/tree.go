package watch

// fileID tells one directory from another that took its path. The zero value is that of a system
// that has none.
type fileID struct{ dev, ino uint64 }

// state says how changes in a directory are noticed.
type state uint8

const (
	unseen     state = iota // not decided yet
	watched                 // by events
	full                    // polled: the system gives no more watches
	deaf                    // polled: its file system does not tell what happens in it
	long                    // polled: its path is longer than the system takes
	twice                   // polled: it is watched under another path, and a watch has only one
	unreadable              // not at all: tried again now and then
)

// polled reports whether the directory, and what is beneath, is hinted at in intervals.
func (s state) polled() bool { return s >= full && s <= twice }

// node is a directory. Only watched ones have children: beneath the others nothing is known.
type node struct {
	path                      string // absolute; the notifier has the same string, so it costs nothing here
	parent, first, prev, next *node
	id                        fileID
	state                     state
	beneath                   int // directories beneath a polled one, as far as they were counted
}

// tree is what is known of the directories. At a path that has a watch in the notifier there is a
// node of state watched, and the reverse, except for watches that the notifier took away itself: of
// those it tells afterwards, and then the path is looked at.
type tree struct {
	byPath map[string]*node
	byID   map[fileID]*node    // of the watched ones
	odd    map[*node]struct{}  // what is not watched
	count  [unreadable + 1]int // nodes by state
}

func newTree() *tree {
	return &tree{
		byPath: make(map[string]*node),
		byID:   make(map[fileID]*node),
		odd:    make(map[*node]struct{}),
	}
}

// insert adds the directory at path beneath parent, which is nil for the root.
func (t *tree) insert(path string, id fileID, parent *node) *node {
	n := &node{path: path, id: id, parent: parent}
	if parent != nil {
		n.next = parent.first
		if n.next != nil {
			n.next.prev = n
		}
		parent.first = n
	}
	t.byPath[path] = n
	t.odd[n] = struct{}{}
	t.count[unseen]++
	return n
}

// set changes the state of n. One that is not watched any more must have no children.
func (t *tree) set(n *node, s state) {
	if n.state == watched && s != watched {
		if t.byID[n.id] == n {
			delete(t.byID, n.id)
		}
		t.odd[n] = struct{}{}
	}
	if n.state != watched && s == watched {
		if n.id != (fileID{}) {
			t.byID[n.id] = n
		}
		delete(t.odd, n)
	}
	t.count[n.state]--
	t.count[s]++
	n.state, n.beneath = s, 0
}

// remove takes n out of the tree, with all that is beneath, and calls gone for each that was watched.
func (t *tree) remove(n *node, gone func(path string)) {
	for n.first != nil {
		t.remove(n.first, gone)
	}
	if n.prev != nil {
		n.prev.next = n.next
	} else if n.parent != nil {
		n.parent.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
	if n.state == watched {
		gone(n.path)
	}
	t.set(n, unseen)
	t.count[unseen]--
	delete(t.odd, n)
	delete(t.byPath, n.path)
}
