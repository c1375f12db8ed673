package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// The model of a whole sync in memory, for the properties of plans: trees are maps from paths to
// entries, and the content of a file is its hash.

// entries is a head or a base.
type entries map[string]*snapshot.Entry

func (t entries) paths() []string {
	return slices.SortedFunc(maps.Keys(t), snapshot.ComparePaths)
}

func (t entries) beneath(dir string) (paths []string) {
	for _, path := range t.paths() {
		if snapshot.Beneath(path, dir) {
			paths = append(paths, path)
		}
	}
	return paths
}

// replaced reports whether a directory above path is a file.
func (t entries) replaced(path string) bool {
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if IsFile(t[dir]) {
			return true
		}
	}
	return false
}

// scan is what snapshot.Scan would report: the difference, by stat, without the hashes of the head.
func scan(base, head entries, mirror bool) []snapshot.Change {
	all := maps.Clone(base)
	maps.Copy(all, head)
	var changes []snapshot.Change
	for _, path := range all.paths() {
		old, now := base[path], head[path]
		switch {
		case now == nil && old.Flags.Has(snapshot.Retained) && !mirror && !head.replaced(path):
			continue
		case old != nil && now != nil && sameByStat(old, now):
			continue
		}
		c := snapshot.Change{Path: path, Old: old}
		if now != nil {
			e := *now
			e.HashType, e.Hash = snapshot.NoHash, snapshot.Hash{}
			c.New = &e
		}
		changes = append(changes, c)
	}
	return changes
}

func sameByStat(old, now *snapshot.Entry) bool {
	const distrusted = snapshot.Racy | snapshot.Retained | snapshot.Adopted
	if old.Kind == snapshot.Dir && now.Kind == snapshot.Dir {
		return old.Flags&(snapshot.Retained|snapshot.Adopted) == 0 && old.SameStat(now)
	}
	return old.Flags&distrusted == 0 && old.SameStat(now) && old.Mode == now.Mode
}

// input is what the engine would hand to Plan for these trees.
func input(base, head entries, o options) Input {
	changes := scan(base, head, o.completeSync)
	known := make(map[int64]bool)
	for _, e := range base {
		if e.Kind != snapshot.Dir && e.HashType == snapshot.XXH3 {
			known[e.Size] = true
		}
	}
	for _, i := range Needs(changes, o.caps, func(size int64) bool { return known[size] }) {
		c := &changes[i]
		e := *c.New
		e.HashType, e.Hash = snapshot.XXH3, head[c.Path].Hash
		c.New = &e
		if c.Old != nil && c.Old.HashType == md5 && c.Old.Hash == e.Hash {
			old := *c.Old
			old.HashType = snapshot.XXH3
			c.Old = &old
		}
	}
	in := Input{
		Changes: changes, Caps: o.caps, Covered: o.isCovered, Known: make(map[Content]string),
		CompleteSync: o.completeSync, EmptyDirs: o.emptyDirs, Metadata: o.metadata,
	}
	switch {
	case o.survived:
		in.Survived = func(old, now int) bool { return true }
	case o.born != nil:
		in.Survived = func(old, now int) bool {
			was, is := changes[old].Old, changes[now].New
			return was.Ino == is.Ino && was.Kind == is.Kind && o.born[is.Ino] <= was.Ctime
		}
	}
	changed := make(map[string]bool)
	for _, c := range changes {
		changed[c.Path] = true
	}
	in.Kept = func(dir string) bool {
		return slices.ContainsFunc(base.beneath(dir), func(path string) bool { return !changed[path] })
	}
	in.Outside = func(path string) *snapshot.Entry {
		if changed[path] {
			return nil
		}
		return base[path]
	}
	in.CaseVariant = func(path string) (last string, e *snapshot.Entry) {
		for _, variant := range base.paths() {
			if variant != path && in.Caps.Fold(variant) == in.Caps.Fold(path) && !changed[variant] {
				if last, e = variant, base[variant]; !IsRetainedFile(e) {
					return last, e
				}
			}
		}
		return last, e
	}
	for _, path := range slices.Backward(base.paths()) {
		if e := base[path]; e.Kind == snapshot.File && e.HashType == snapshot.XXH3 && !changed[path] {
			in.Known[Content{e.Size, e.Hash}] = path
		}
	}
	return in
}

// strictRemote is a strict remote: whatever a real one might refuse is an error.
type strictRemote struct {
	caps  remote.Caps
	files map[string]held
	dirs  map[string]bool
}

// held is a file on the remote.
type held struct {
	hash  snapshot.Hash
	size  int64
	mtime int64
	link  bool
}

func hold(e *snapshot.Entry) held {
	return held{e.Hash, e.Size, e.Mtime, e.Kind == snapshot.Symlink}
}

// newRemote holds exactly what base says. Of directories it has those above files, and those that a listing showed.
func newRemote(caps remote.Caps, base entries) *strictRemote {
	r := &strictRemote{caps, make(map[string]held), make(map[string]bool)}
	for path, e := range base {
		switch {
		case e.Kind != snapshot.Dir:
			r.files[r.key(path)] = hold(e)
			r.mkdirs(path)
		case e.Flags.Has(snapshot.Adopted):
			r.mkdirs(snapshot.Join(path, "x"))
		}
	}
	return r
}

func (r *strictRemote) key(path string) string {
	if r.caps.CaseInsensitive {
		return strings.ToLower(path)
	}
	return path
}

func (r *strictRemote) mkdirs(path string) {
	if r.caps.BucketBased {
		return
	}
	for dir, _ := snapshot.Split(r.key(path)); dir != ""; dir, _ = snapshot.Split(dir) {
		r.dirs[dir] = true
	}
}

// room reports why no file can be put at path.
func (r *strictRemote) room(path string) error {
	key := r.key(path)
	if r.dirs[key] {
		return fmt.Errorf("%s is a directory", path)
	}
	for dir, _ := snapshot.Split(key); dir != "" && !r.caps.BucketBased; dir, _ = snapshot.Split(dir) {
		if _, file := r.files[dir]; file {
			return fmt.Errorf("%s, above %s, is a file", dir, path)
		}
	}
	return nil
}

// do performs one step. head is where uploads read from.
func (r *strictRemote) do(s *journal.Step, head entries) error {
	if err := s.Validate(); err != nil {
		return err
	}
	key, from := r.key(s.Path), r.key(s.From)
	switch {
	case s.Action == journal.Delete && s.Dir:
		return r.rmdir(key)
	case s.Action == journal.Delete:
		if _, ok := r.files[key]; !ok {
			return fmt.Errorf("delete %s: it is not there", s.Path)
		}
		delete(r.files, key)
		return nil
	case s.Action == journal.Move && s.Dir:
		return r.moveDir(from, key)
	case s.Action == journal.Move && !r.caps.Move, s.How == journal.Copy && !r.caps.Copy, s.How == journal.Touch && !r.caps.SetModTime:
		return fmt.Errorf("%v %v %s: the remote cannot", s.Action, s.How, s.Path)
	case s.How == journal.Mkdir:
		if _, file := r.files[key]; file && !r.caps.BucketBased {
			return fmt.Errorf("mkdir %s: a file is there", s.Path)
		}
		r.mkdirs(snapshot.Join(s.Path, "x"))
		return nil
	}
	if err := r.room(s.Path); err != nil {
		return err
	}
	r.mkdirs(s.Path)
	there, ok := r.files[from]
	switch {
	case s.How == journal.Upload:
		r.files[key] = hold(head[s.Path])
		return nil
	case s.How == journal.Touch:
		there, ok = r.files[key]
		there.mtime = s.New.Mtime
	case s.How == journal.Copy:
		there.mtime = s.New.Mtime
	case from == key:
		return fmt.Errorf("move %s: onto itself", s.Path)
	default:
		delete(r.files, from)
	}
	if !ok {
		return fmt.Errorf("%v %s from %q: nothing is there", s.Action, s.Path, s.From)
	}
	r.files[key] = there
	return nil
}

func (r *strictRemote) rmdir(dir string) error {
	for path := range r.files {
		if snapshot.Beneath(path, dir) {
			return fmt.Errorf("rmdir %s: it holds %s", dir, path)
		}
	}
	for path := range r.dirs {
		if snapshot.Beneath(path, dir) {
			return fmt.Errorf("rmdir %s: it holds the directory %s", dir, path)
		}
	}
	delete(r.dirs, dir)
	return nil
}

func (r *strictRemote) moveDir(from, to string) error {
	_, file := r.files[to]
	switch {
	case !r.caps.DirMove || r.caps.BucketBased:
		return fmt.Errorf("move directory %s: the remote cannot", from)
	case !r.dirs[from]:
		return fmt.Errorf("move directory %s: it is not there", from)
	case r.dirs[to] || file:
		return fmt.Errorf("move directory %s: %s exists", from, to)
	case snapshot.Beneath(to, from):
		return fmt.Errorf("move directory %s into itself: %s", from, to)
	}
	if err := r.room(to); err != nil {
		return err
	}
	r.mkdirs(to)
	moveKeys(r.files, from, to)
	moveKeys(r.dirs, from, to)
	return nil
}

// moveKeys renames from, and everything beneath it.
func moveKeys[V any](m map[string]V, from, to string) {
	for path, v := range maps.Clone(m) {
		if path == from || snapshot.Beneath(path, from) {
			delete(m, path)
			m[to+path[len(from):]] = v
		}
	}
}

// learn folds p.Refresh into base, as journal.Begin does.
func (t entries) learn(p *journal.Plan) {
	for _, r := range p.Refresh {
		if r.Entry != nil {
			t.put(r.Path, r.Entry)
			continue
		}
		if len(t.beneath(r.Path)) == 0 {
			delete(t, r.Path)
		}
	}
}

func (t entries) put(path string, e *snapshot.Entry) {
	t[path] = e
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if t[dir] == nil {
			t[dir] = &snapshot.Entry{Kind: snapshot.Dir}
		}
	}
}

// ack folds a step that was done into base, as journal.Ack does.
func (t entries) ack(s *journal.Step, head entries) {
	switch {
	case s.Action == journal.Delete:
		t.remove(s.Path, s.Dir)
	case s.Action == journal.Move && s.Dir:
		moveKeys(t, s.From, s.Path)
		t.put(s.Path, s.New)
	case s.Action == journal.Move:
		t.remove(s.From, false)
		t.put(s.Path, s.New)
	case s.How == journal.Upload:
		t.put(s.Path, head[s.Path])
	default:
		t.put(s.Path, s.New)
	}
}

// remove leaves a directory of which nothing is known where something is beneath.
func (t entries) remove(path string, dir bool) {
	switch {
	case len(t.beneath(path)) == 0:
		delete(t, path)
	case !dir:
		t[path] = &snapshot.Entry{Kind: snapshot.Dir}
	}
}

// untrue returns what base says about files that is not so on the remote, or "".
func (t entries) untrue(r *strictRemote) string {
	for _, path := range t.paths() {
		e := t[path]
		if e.Kind == snapshot.Dir {
			continue
		}
		there, ok := r.files[r.key(path)]
		switch {
		case !ok:
			return fmt.Sprintf("the base has %s, the remote has not", path)
		case e.HashType == snapshot.XXH3 && e.Hash != there.hash:
			return fmt.Sprintf("the base has another content at %s than the remote", path)
		case r.caps.SetModTime && there.mtime != 0 && truncateFor(r.caps, e.Mtime) != truncateFor(r.caps, there.mtime):
			return fmt.Sprintf("the base has another mtime at %s than the remote: %d and %d", path, e.Mtime, there.mtime)
		}
	}
	for path := range r.files {
		if !slices.ContainsFunc(t.paths(), func(p string) bool { return r.key(p) == path }) {
			return fmt.Sprintf("the remote has %s, the base does not know it", path)
		}
	}
	return ""
}

func truncateFor(caps remote.Caps, mtime int64) int64 {
	if caps.Precision <= 0 {
		return 0
	}
	return remote.Truncate(mtime, caps.Precision)
}

// options are what a plan depends on besides the trees.
type options struct {
	caps                              remote.Caps
	completeSync, emptyDirs, metadata bool
	covered                           []string         // paths at which something stands that the source skips
	survived                          bool             // no inode is a reused one
	born                              map[uint64]int64 // else: when the inodes of the head were made; nil: the file system does not tell
}

func (o *options) isCovered(path string) bool {
	return slices.ContainsFunc(o.covered, func(top string) bool { return path == top || snapshot.Beneath(path, top) })
}

// overlap reports whether the order of two steps matters.
func overlap(a, b *journal.Step, caps remote.Caps) bool {
	for _, p := range []string{a.Path, a.From} {
		for _, q := range []string{b.Path, b.From} {
			if caps.CaseInsensitive {
				p, q = strings.ToLower(p), strings.ToLower(q)
			}
			if p != "" && q != "" && (p == q || snapshot.Beneath(p, q) || snapshot.Beneath(q, p)) {
				return true
			}
		}
	}
	return false
}

const second = int64(time.Second)
