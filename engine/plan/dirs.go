package plan

import (
	"github.com/snapsync/snapsync/snapshot"
)

// dirFinder decides which directories are moved as a whole. A directory that left its path and a new one are the same if
// they are one inode and at least one file is where it was inside: the inode alone is no evidence, since file systems use
// freed ones again. Without the inode, all files, and at least two, must have gone the same way. Files that differ within a
// moved directory are further steps after the move.
type dirFinder struct {
	*pairs
	votes  map[match]int32 // files that went from one directory to the same name in the other
	target []int32         // of an Old directory: the New one chosen for it so far, or none
	from   []int32         // the reverse of target

	oneWas, oneIs func(i int32) bool // see shared
}

// minClear is how many files a directory must have to be worth emptying another one whose path it takes.
const minClear = 3

// chooseDirs returns the directories to move, from the top down, given where files went.
func chooseDirs(p *pairs, found []match) []match {
	if !p.Caps.DirMove {
		return nil
	}
	f := &dirFinder{pairs: p}
	olds, news := f.candidates()
	if len(olds) == 0 || len(news) == 0 {
		return nil
	}
	f.target, f.from = p.indexes(), p.indexes()
	f.vote(found)
	f.choose(olds, news)
	f.discard(olds)
	var moves []match
	for _, i := range olds {
		if h := f.target[i]; h != none && f.implied(i) != h {
			moves = append(moves, match{i, h})
		}
	}
	return moves
}

// candidates returns the directories that left their path and the ones that are new at theirs. If the base holds beneath
// a directory what is not in Changes, and the path still is a directory, it stays.
func (f *dirFinder) candidates() (olds, news []int32) {
	f.oneWas, f.oneIs = f.shared((*Input).old), f.shared((*Input).now)
	for i := range f.size() {
		old, now := f.old(i), f.now(i)
		if isDir(old) && isDir(now) && (old.Ino == now.Ino || old.Ino == 0 || now.Ino == 0) {
			continue // nothing says that it is another one; seen on the remote only, it has no inode
		}
		if isDir(old) && !(isDir(now) && f.Kept(f.path(i))) {
			olds = append(olds, i)
		}
		if isDir(now) {
			news = append(news, i)
		}
	}
	return olds, news
}

// shared tells which directories of the base, or of the head, are one with another of them to a remote that ignores case.
// Such a directory is not moved, since the other one would go with it; and nothing is moved to its path, since that exists.
func (f *dirFinder) shared(entry func(*Input, int32) *snapshot.Entry) func(i int32) bool {
	if !f.Caps.Folds() {
		return func(int32) bool { return false }
	}
	count := make(map[string]int)
	for i := range f.size() {
		if isDir(entry(f.Input, i)) {
			count[f.Caps.Fold(f.path(i))]++
		}
	}
	return func(i int32) bool {
		_, variant := f.CaseVariant(f.path(i))
		return isDir(variant) || count[f.Caps.Fold(f.path(i))] > 1
	}
}

// vote counts, for each pair of directories, the files that are at the same relative path in both.
func (f *dirFinder) vote(found []match) {
	f.votes = make(map[match]int32)
	for _, m := range found {
		old, now := m.old, m.now
		from, to := f.path(old), f.path(now)
		for {
			fromDir, fromName := snapshot.Split(from)
			toDir, toName := snapshot.Split(to)
			if fromName != toName || fromDir == "" || toDir == "" {
				break
			}
			old, now = f.above(old, fromDir, f.tree.oldUp), f.above(now, toDir, f.tree.newUp)
			if old == none || now == none {
				break
			}
			f.votes[match{old, now}]++
			from, to = fromDir, toDir
		}
	}
}

// above returns the directory directly above i, if it is among the changes.
func (f *dirFinder) above(i int32, dir string, up []int32) int32 {
	if up[i] == none || f.path(up[i]) != dir {
		return none
	}
	return up[i]
}

// choose finds a new path for each directory, shallowest first: by inode, then by its files.
func (f *dirFinder) choose(olds, news []int32) {
	byID := make(map[fileID]int32, len(news))
	for _, h := range news {
		if f.now(h).Ino != 0 {
			byID[idOf(f.now(h))] = h
		}
	}
	byVotes := f.unanimous()
	folded := f.foldedDirs(olds, news)
	for _, i := range olds {
		h, same := byID[idOf(f.old(i))]
		if same && f.old(i).Ino != 0 && f.votes[match{i, h}] > 0 {
			f.accept(i, h)
		} else if variant, ok := folded[f.Caps.Fold(f.path(i))]; ok && (!same || variant == h) && f.tree.files(i) > 0 {
			f.accept(i, variant) // the same directory, to a remote that ignores case
		} else if h, ok := byVotes[i]; ok {
			f.accept(i, h)
		}
	}
}

func (f *dirFinder) accept(i, h int32) {
	if f.from[h] == none && i != h && !f.oneWas(i) && !f.oneIs(h) {
		f.target[i], f.from[h] = h, i
	}
}

// unanimous returns the directories all of whose files, at least two, went to one other.
func (f *dirFinder) unanimous() map[int32]int32 {
	dirs, total := make(map[int32]int32), make(map[int32]int32)
	for pair, n := range f.votes {
		if n < 2 {
			continue
		}
		if _, ok := total[pair.old]; !ok {
			total[pair.old] = f.tree.files(pair.old)
		}
		if total[pair.old] == n {
			dirs[pair.old] = pair.now
		}
	}
	return dirs
}

// foldedDirs returns the new directories by their folded path, on a remote that ignores case, less those that were
// another directory before.
func (f *dirFinder) foldedDirs(olds, news []int32) map[string]int32 {
	if !f.Caps.Folds() {
		return nil
	}
	was := make(map[fileID]int32, len(olds))
	for _, i := range olds {
		was[idOf(f.old(i))] = i
	}
	folded := make(map[string]int32, len(news))
	for _, h := range news {
		i, ok := was[idOf(f.now(h))]
		if !ok || f.Caps.Fold(f.path(i)) == f.Caps.Fold(f.path(h)) {
			folded[f.Caps.Fold(f.path(h))] = h
		}
	}
	return folded
}

// maxDiscards bounds how often one discarded move may make another impossible.
const maxDiscards = 64

// discard drops the moves whose target cannot be made free, and those that bring along what nobody may delete. A dropped
// move may have freed the target of another one, so all are tried again; after maxDiscards times every move that depends
// on another one goes.
func (f *dirFinder) discard(olds []int32) {
	for round := 0; ; round++ {
		dropped := false
		for _, i := range olds {
			h := f.target[i]
			if h == none || f.implied(i) == h || f.canFree(i, h, round < maxDiscards) && !f.bringsInTheWay(i, h) {
				continue
			}
			f.target[i], f.from[h] = none, none
			dropped = true
		}
		if !dropped {
			return
		}
	}
}

// implied returns where Old i goes because a directory above it moves, or none.
func (f *dirFinder) implied(i int32) int32 {
	for up := f.tree.oldUp[i]; up != none; up = f.tree.oldUp[up] {
		if h := f.target[up]; h != none {
			return f.tree.find(f.path(h) + f.path(i)[len(f.path(up)):])
		}
	}
	return none
}

// canFree reports whether the directories that are at h, if any, go before Old i comes.
func (f *dirFinder) canFree(i, h int32, others bool) bool {
	for _, there := range f.inTheWay(h, f.from, f.target) {
		if !(others && f.leaves(there, h)) && !f.canClear(i, there) {
			return false
		}
	}
	path, up := f.cameFrom(h, f.from)
	// What was retained there, or is there as an empty directory, comes along.
	return up == none || f.tree.find(path) != none || !f.Kept(path) && f.Outside(path) == nil
}

// bringsInTheWay reports whether what nobody may delete comes along with Old i, on its way to h, to where something of another
// kind belongs: what is not in Changes, or what is to be retained.
func (f *dirFinder) bringsInTheWay(i, h int32) bool {
	for k, end := i+1, f.tree.end(i); k < end; k++ {
		if !isDir(f.old(k)) || f.target[k] != none || !f.comesWith(k, i) {
			continue
		}
		place := f.tree.find(f.path(h) + f.path(k)[len(f.path(i)):])
		if place != none && IsFile(f.now(place)) && (f.Kept(f.path(k)) || !f.CompleteSync && f.tree.files(k) > 0) {
			return true
		}
	}
	return f.Kept(f.path(i)) && f.bringsOutside(i, h)
}

// bringsOutside is bringsInTheWay for what is not in Changes itself.
func (f *dirFinder) bringsOutside(i, h int32) bool {
	for k, end := h+1, f.tree.end(h); k < end; k++ {
		if f.now(k) == nil {
			continue
		}
		path, up := f.cameFrom(k, f.from)
		if up == none || f.from[up] != i && !snapshot.Beneath(f.path(f.from[up]), f.path(i)) {
			continue
		}
		if e := f.Outside(path); e != nil && isDir(e) != isDir(f.now(k)) {
			return true
		}
	}
	return false
}

// comesWith reports whether Old i is the nearest directory above Old k that moves by itself.
func (f *dirFinder) comesWith(k, i int32) bool {
	up := f.tree.oldUp[k]
	for up != i && (f.target[up] == none || f.target[up] == f.implied(up)) {
		up = f.tree.oldUp[up]
	}
	return up == i
}

// leaves reports whether the Old directory i moves away from h, by itself or with one above it.
func (f *dirFinder) leaves(i, h int32) bool {
	if i != h {
		return f.target[i] != none // it was carried there: only by itself
	}
	for up := i; up != none; up = f.tree.oldUp[up] {
		if f.target[up] != none {
			return true
		}
	}
	return false
}

// canClear reports whether the Old directory there can be deleted to make room for Old i. If it holds files, these must go
// anyway, and Old i must have many.
func (f *dirFinder) canClear(i, there int32) bool {
	if f.Kept(f.path(there)) {
		return false
	}
	files := int32(0)
	for k, end := there+1, f.tree.end(there); k < end; k++ {
		if !IsFile(f.old(k)) {
			continue
		}
		if files++; f.dest[k] == k && f.weigh(k, k) != edited {
			return false
		}
	}
	return files == 0 || f.CompleteSync && f.tree.files(i) >= minClear
}

// cleared returns the directories that do not move and whose place a moved one takes: what the base holds beneath them is
// nowhere afterwards.
func (p *pairs) cleared(dirs []match) map[int32]bool {
	cleared := make(map[int32]bool)
	for _, d := range dirs {
		for _, i := range p.inTheWay(d.now, p.source, p.dest) {
			if p.dest[i] == none && (i != d.now || p.carried(i) == none) {
				cleared[i] = true
			}
		}
	}
	return cleared
}

// inTheWay returns the directories of the base that lie at h before something else comes there: its own, which may be
// carried away before, and the one that is carried there. from has the Old directory that moves to a New one; to is its
// reverse.
func (p *pairs) inTheWay(h int32, from, to []int32) (dirs []int32) {
	if isDir(p.old(h)) {
		dirs = append(dirs, h)
	}
	path, up := p.cameFrom(h, from)
	if up == none {
		return dirs
	}
	i := p.tree.find(path)
	if i == none || !isDir(p.old(i)) {
		return dirs
	}
	carrier := p.tree.oldUp[i]
	for to[carrier] == none {
		carrier = p.tree.oldUp[carrier] // from[up] is above i and moves
	}
	if carrier == from[up] {
		dirs = append(dirs, i)
	}
	return dirs
}

// cameFrom returns the path of the base that a directory above it carries to h, and the place of that directory; or none.
func (p *pairs) cameFrom(h int32, from []int32) (path string, up int32) {
	up = p.tree.newUp[h]
	for up != none && from[up] == none {
		up = p.tree.newUp[up]
	}
	if up == none {
		return "", none
	}
	return p.path(from[up]) + p.path(h)[len(p.path(up)):], up
}
