package engine

import (
	"container/heap"
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// maxHints bounds what is remembered of hints: beyond that, to look everywhere costs less.
const maxHints = 200_000

// hints collects where to look and says when: a path is due once it has been quiet for settle, or once
// it has waited for settleMax. A path that went is due as well then, as the possible half of a move;
// that it went is believed after grace. Its methods are not for concurrent use.
type hints struct {
	settle, settleMax, grace time.Duration

	paths map[string]*hinted
	due   dueHeap
	all   time.Time // since when everything is to be looked at; zero: it is not
	// nudged is since when what is pending is to be looked at, wherever that is; zero: it is not.
	nudged time.Time
}

// hinted is one path.
type hinted struct {
	path        string
	first, last time.Time
	deep, gone  bool
	at          time.Time // when it is due
	index       int       // in the heap
}

func newHints(settle, settleMax, grace time.Duration) *hints {
	return &hints{settle: settle, settleMax: max(settle, settleMax), grace: max(settle, grace), paths: make(map[string]*hinted)}
}

// add takes in a hint.
func (h *hints) add(hint Hint, now time.Time) {
	if hint.Path == "" && hint.Deep {
		h.addAll(now)
		return
	}
	p := h.paths[hint.Path]
	if p == nil {
		if len(h.paths) >= maxHints {
			h.addAll(now)
			return
		}
		p = &hinted{path: hint.Path, first: now, index: -1}
		h.paths[hint.Path] = p
	}
	if p.gone && !hint.Gone && now.Sub(p.last) >= min(h.grace, h.settleMax) {
		p.first = now // it came back: what happened to it before is history
	}
	p.last, p.deep, p.gone = now, p.deep || hint.Deep, hint.Gone
	h.schedule(p)
}

// addAll makes everything due, in place of each path.
func (h *hints) addAll(now time.Time) {
	if h.all.IsZero() {
		h.all = now
	}
	h.paths, h.due = make(map[string]*hinted), nil
}

// nudge makes what is pending due, which any narrowed run takes in, and nothing else.
func (h *hints) nudge(now time.Time) {
	if h.nudged.IsZero() {
		h.nudged = now
	}
}

func (h *hints) schedule(p *hinted) {
	p.at = p.last.Add(h.settle)
	if limit := p.first.Add(h.settleMax); limit.Before(p.at) {
		p.at = limit
	}
	if p.gone {
		p.at = p.last.Add(h.grace)
	}
	if p.index < 0 {
		heap.Push(&h.due, p)
	} else {
		heap.Fix(&h.due, p.index)
	}
}

// next is when something is due; zero: nothing waits.
func (h *hints) next() time.Time {
	switch {
	case !h.all.IsZero():
		return h.all
	case !h.nudged.IsZero():
		return h.nudged
	case len(h.due) > 0:
		return h.due[0].at
	}
	return time.Time{}
}

// count returns how many paths wait, and since when the oldest of them does.
func (h *hints) count() (n int, oldest time.Time) {
	oldest = h.all
	for _, p := range h.paths {
		if oldest.IsZero() || p.first.Before(oldest) {
			oldest = p.first
		}
	}
	return len(h.paths), oldest
}

// take removes what is due and returns it. Paths that went and still have grace go along with the
// rest, since they may be the other halves of what came; also those that are not quiet yet, because a
// directory that was renamed is seen to go once more after it came, and a half that comes alone would be
// sent. all: everything is due, and is to be looked at.
func (h *hints) take(now time.Time) (taken []*hinted, all bool) {
	if !h.all.IsZero() {
		h.all = time.Time{}
		return nil, true
	}
	for len(h.due) > 0 && !h.due[0].at.After(now) {
		p := heap.Pop(&h.due).(*hinted)
		delete(h.paths, p.path)
		taken = append(taken, p)
	}
	if len(taken) == 0 {
		return nil, false
	}
	for path, p := range h.paths {
		if p.gone {
			heap.Remove(&h.due, p.index)
			delete(h.paths, path)
			taken = append(taken, p)
		}
	}
	return taken, false
}

// giveBack returns paths that were taken and not dealt with. What was hinted meanwhile is newer.
func (h *hints) giveBack(taken []*hinted) {
	for _, p := range taken {
		if now := h.paths[p.path]; now != nil {
			now.first, now.deep = p.first, now.deep || p.deep
			h.schedule(now)
			continue
		}
		if len(h.paths) >= maxHints {
			h.addAll(p.first)
			return
		}
		p.index = -1
		h.paths[p.path] = p
		h.schedule(p)
	}
}

// focusOn turns paths that were taken at now into what a run looks at.
func (h *hints) focusOn(taken []*hinted, now time.Time) Focus {
	f := Focus{Scopes: make([]snapshot.Scope, 0, len(taken))}
	for _, p := range taken {
		f.Scopes = append(f.Scopes, snapshot.Scope{Path: p.path, Deep: p.deep})
		if p.gone && p.at.After(now) {
			f.Grace = append(f.Grace, p.path)
		}
	}
	return f
}

// dueHeap is a container/heap of paths, the soonest first.
type dueHeap []*hinted

func (d dueHeap) Len() int           { return len(d) }
func (d dueHeap) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dueHeap) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push implements heap.Interface.
func (d *dueHeap) Push(x any) {
	p := x.(*hinted)
	p.index = len(*d)
	*d = append(*d, p)
}

// Pop implements heap.Interface.
func (d *dueHeap) Pop() any {
	old := *d
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	p.index = -1
	return p
}
