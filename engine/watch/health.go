package watch

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/engine/hint"
)

// trouble is what is wrong as a whole.
type trouble struct {
	overflows  int64
	proved     time.Time
	lost       error // why the root is not watched; nil: it is
	unprovable error // why the canary cannot sing; nil: it can
	mute       bool  // events do not arrive, again and again: the root is polled
	silences   int64 // how often no event arrived
	silentAt   time.Time
	instances  bool // the system gave no watcher at all
}

// group is the directories that are not watched for one reason.
type group struct {
	dirs    int
	example string // the first by path
}

func (g group) String() string {
	if g.dirs == 1 {
		return g.example
	}
	return fmt.Sprintf("%d directories, %s among them,", g.dirs, g.example)
}

// Health returns how the watch stands now. It may be called at any time, and from any goroutine.
func (w *Watcher) Health() hint.Health {
	w.mu.Lock()
	t := w.trouble
	h := hint.Health{Watched: w.tree.count[watched], Overflows: t.overflows, Proved: t.proved}
	groups := make(map[state]group)
	tops := 0
	for n := range w.tree.odd {
		g := groups[n.state]
		g.dirs += 1 + n.beneath
		if g.example == "" || n.path < g.example {
			g.example = n.path
		}
		groups[n.state] = g
		if n.state.polled() {
			h.Polled += 1 + n.beneath
			tops++
		}
	}
	w.mu.Unlock()
	every := max(w.cfg.PollInterval, time.Duration(tops/pollBurst)*pollGap)
	h.Problems = append(w.troubles(t), w.exceptions(groups, every, t.instances)...)
	return h
}

// complain writes to the log what there is to say when directories turn up that cannot be watched, and
// none was there before for that reason.
func (w *Watcher) complain() {
	w.mu.Lock()
	worse := false
	for s := full; s <= unreadable; s++ {
		some := w.tree.count[s] > 0
		worse = worse || some && !w.told[s]
		w.told[s] = some
	}
	w.mu.Unlock()
	if !worse {
		return
	}
	for _, problem := range w.Health().Problems {
		w.log.Warn("not everything can be watched", "problem", problem)
	}
}

// troubles says what is wrong as a whole.
func (w *Watcher) troubles(t trouble) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if t.lost != nil {
		say("%s is not watched: %v: mount it or bring it back; it is looked for every %s", w.cfg.Root, t.lost, rootRetry)
	}
	switch {
	case t.mute:
		say("%s: file-system events do not arrive, so that everything is looked at every %s: see whether the file system or a sandbox keeps them back",
			w.cfg.Root, w.cfg.PollInterval)
	case t.silences > 0:
		say("%s: file-system events had stopped %d times, last at %s; the watch was set up anew and everything was looked at: if that goes on, restart and report it",
			w.cfg.Root, t.silences, t.silentAt.Format(time.DateTime))
	}
	if t.unprovable != nil && t.lost == nil {
		say("that events arrive cannot be proved at %s (%v): run as the owner of this directory, or rely on the periodic scan",
			w.cfg.Root, t.unprovable)
	}
	return problems
}

// exceptions says what is not watched though the rest is.
func (w *Watcher) exceptions(groups map[state]group, every time.Duration, instances bool) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if g, ok := groups[full]; ok {
		remedy := moreWatches(g.dirs)
		if instances {
			remedy = moreInstances()
		}
		say("%s can only be looked at every %s, because no more can be watched: %s", g, every, remedy)
	}
	if g, ok := groups[deaf]; ok {
		say("%s can only be looked at every %s, because events do not come from this kind of file system: to have changes noticed at once, run on the machine that holds the files",
			g, every)
	}
	if g, ok := groups[long]; ok {
		say("%s can only be looked at every %s, because the path is longer than the system takes: shorten it", g, every)
	}
	if g, ok := groups[twice]; ok {
		say("%s can only be looked at every %s, because the same directory is mounted elsewhere in the source as well: exclude one of the two", g, every)
	}
	if g, ok := groups[unreadable]; ok {
		say("%s cannot be read, so that nothing beneath is noticed: give this user permission, or exclude it", g)
	}
	return problems
}
