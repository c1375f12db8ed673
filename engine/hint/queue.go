package hint

import (
	"container/heap"
	"iter"
	"maps"
	"slices"
	"time"
)

// maxHints bounds the paths in a Queue: beyond that, to look everywhere costs less.
const maxHints = 200_000

// Queue collects where to look and says when. A path is due once it has been quiet for the settle time, or has waited for
// settleMax; one that went, after the delete delay, or together with others before that. While removals keep coming, those
// before wait for them, so that a burst is judged as a whole, but no longer than removalsMax delete delays. What is deferred is
// never due. The methods are not for concurrent use.
type Queue struct {
	settle, settleMax, deleteDelay time.Duration

	firstGone, lastGone time.Time // of the removals that keep coming, or came last

	paths    map[string]*Pending
	due      dueHeap
	all      time.Time           // since when everything is due; zero: it is not
	woken    time.Time           // since when what is pending is due, wherever that is; zero: it is not
	deferred map[string]*Pending // by path
}

// removalsMax is how many delete delays removals wait for each other at most: some sources are never quiet.
const removalsMax = 12

// Pending is one path that waits to be looked at.
type Pending struct {
	Path        string
	First, Last time.Time // when it was hinted at
	Deep, Gone  bool      // as in Hint
	At          time.Time // when it is due
	index       int       // in the heap
}

// InGrace reports whether the path went and may still come back, or turn up elsewhere.
func (p *Pending) InGrace(now time.Time) bool { return p.Gone && p.At.After(now) }

// NewQueue returns an empty queue. See Queue for the times.
func NewQueue(settle, settleMax, deleteDelay time.Duration) *Queue {
	return &Queue{
		settle: settle, settleMax: max(settle, settleMax), deleteDelay: max(settle, deleteDelay),
		paths: make(map[string]*Pending),
	}
}

// Add takes in a hint.
func (q *Queue) Add(hint Hint, now time.Time) {
	if hint.Path == "" && hint.Deep {
		q.All(now)
		return
	}
	p := q.paths[hint.Path]
	if p == nil {
		if len(q.paths) >= maxHints {
			q.All(now)
			return
		}
		p = &Pending{Path: hint.Path, First: now, index: -1}
		q.paths[hint.Path] = p
	}
	if hint.Gone {
		if now.Sub(q.lastGone) > q.deleteDelay {
			q.firstGone = now
		}
		q.lastGone = now
	}
	if p.Gone && !hint.Gone && now.Sub(p.Last) >= min(q.deleteDelay, q.settleMax) {
		p.First = now // it came back: what happened to it before is history
	}
	p.Last, p.Deep, p.Gone = now, p.Deep || hint.Deep, hint.Gone
	q.schedule(p)
}

// All makes everything due, in place of each path.
func (q *Queue) All(now time.Time) {
	if q.all.IsZero() {
		q.all = now
	}
	q.paths, q.due = make(map[string]*Pending), nil
}

// Wake makes what is pending due, and nothing else. Every narrowed run takes it in.
func (q *Queue) Wake(now time.Time) {
	if q.woken.IsZero() {
		q.woken = now
	}
}

func (q *Queue) schedule(p *Pending) {
	p.At = p.Last.Add(q.settle)
	if limit := p.First.Add(q.settleMax); limit.Before(p.At) {
		p.At = limit
	}
	if p.Gone {
		p.At = q.removalDue(p)
	}
	if p.index < 0 {
		heap.Push(&q.due, p)
	} else {
		heap.Fix(&q.due, p.index)
	}
}

// removalDue is when a path that went is due. It may move away: see catchUp.
func (q *Queue) removalDue(p *Pending) time.Time {
	at, limit := q.lastGone.Add(q.deleteDelay), q.firstGone.Add(removalsMax*q.deleteDelay)
	if own := p.Last.Add(q.deleteDelay); limit.Before(own) {
		limit = own
	}
	if limit.Before(at) {
		return limit
	}
	return at
}

// catchUp has the first path of the heap be the one that is due first: what went is due later once more goes.
func (q *Queue) catchUp() {
	for len(q.due) > 0 {
		p := q.due[0]
		if !p.Gone || !q.removalDue(p).After(p.At) {
			return
		}
		p.At = q.removalDue(p)
		heap.Fix(&q.due, 0)
	}
}

// Next is when something is due; zero: nothing waits.
func (q *Queue) Next() time.Time {
	q.catchUp()
	switch {
	case !q.all.IsZero():
		return q.all
	case !q.woken.IsZero():
		return q.woken
	case len(q.due) > 0:
		return q.due[0].At
	}
	return time.Time{}
}

// Count returns how many paths wait, and since when the oldest of them does.
func (q *Queue) Count() (n int, oldest time.Time) {
	oldest = q.all
	for _, p := range q.paths {
		if oldest.IsZero() || p.First.Before(oldest) {
			oldest = p.First
		}
	}
	return len(q.paths), oldest
}

// Take removes what is due and returns it; all says that everything is. Paths that went are taken along with the rest, quiet
// or not: they may be the other halves of what came, and a half that comes alone is sent. (A directory that was renamed is
// seen to go once more after it came.)
func (q *Queue) Take(now time.Time) (taken []*Pending, all bool) {
	if !q.all.IsZero() {
		q.all = time.Time{}
		return nil, true
	}
	removals := false
	for q.catchUp(); len(q.due) > 0 && !q.due[0].At.After(now); q.catchUp() {
		p := heap.Pop(&q.due).(*Pending)
		delete(q.paths, p.Path)
		taken, removals = append(taken, p), removals || p.Gone
	}
	if len(taken) == 0 {
		return nil, false
	}
	if removals {
		q.firstGone = now // what is left waits for what comes, for as long as those did
	}
	for path, p := range q.paths {
		if p.Gone {
			p.At = q.removalDue(p)
			heap.Remove(&q.due, p.index)
			delete(q.paths, path)
			taken = append(taken, p)
		}
	}
	return taken, false
}

// Requeue returns paths that were taken and not dealt with. What was hinted meanwhile is newer.
func (q *Queue) Requeue(taken []*Pending) {
	for _, p := range taken {
		if now := q.paths[p.Path]; now != nil {
			now.First, now.Deep = p.First, now.Deep || p.Deep
			q.schedule(now)
			continue
		}
		if len(q.paths) >= maxHints {
			q.All(p.First)
			return
		}
		p.index = -1
		q.paths[p.Path] = p
		q.schedule(p)
	}
}

// TakeWoken reports whether Wake was called since the last time.
func (q *Queue) TakeWoken() bool {
	woken := !q.woken.IsZero()
	q.woken = time.Time{}
	return woken
}

// Everything reports whether everything is to be looked at.
func (q *Queue) Everything() bool { return !q.all.IsZero() }

// Len is how many paths wait, without those that are deferred.
func (q *Queue) Len() int { return len(q.paths) }

// Paths returns what waits, in no order, without what is deferred.
func (q *Queue) Paths() iter.Seq[*Pending] {
	q.catchUp() // then nothing seems to be due before it is
	return maps.Values(q.paths)
}

// Defer keeps paths that were taken until Undefer, each once.
func (q *Queue) Defer(taken []*Pending) {
	if q.deferred == nil {
		q.deferred = make(map[string]*Pending, len(taken))
	}
	for _, p := range taken {
		if before := q.deferred[p.Path]; before != nil {
			p.First, p.Deep = before.First, p.Deep || before.Deep
		}
		q.deferred[p.Path] = p
	}
}

// Undefer returns what was deferred to the queue.
func (q *Queue) Undefer() {
	deferred := slices.Collect(maps.Values(q.deferred))
	q.deferred = nil
	q.Requeue(deferred)
}

// WithPaths returns those of taken that have one of the paths.
func WithPaths(taken []*Pending, paths []string) (found []*Pending) {
	if len(paths) == 0 {
		return nil
	}
	wanted := make(map[string]bool, len(paths))
	for _, path := range paths {
		wanted[path] = true
	}
	for _, p := range taken {
		if wanted[p.Path] {
			found = append(found, p)
		}
	}
	return found
}

// dueHeap is a container/heap of paths, the soonest first.
type dueHeap []*Pending

func (d dueHeap) Len() int           { return len(d) }
func (d dueHeap) Less(i, j int) bool { return d[i].At.Before(d[j].At) }
func (d dueHeap) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push implements heap.Interface.
func (d *dueHeap) Push(x any) {
	p := x.(*Pending)
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
