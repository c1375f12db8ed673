package watch

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/engine/hint"
)

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

// health says how many directories are watched and polled, and what is wrong with those that are not watched.
func (c *coverage) health(interval time.Duration) (h hint.Health) {
	c.mu.Lock()
	h.Watched = c.tree.count[watched]
	groups := make(map[state]group)
	tops := 0
	for n := range c.tree.odd {
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
	exhausted := c.exhausted
	c.mu.Unlock()
	h.Problems = exceptions(groups, roundTime(interval, tops), exhausted)
	return h
}

// worse reports whether there are directories that cannot be watched for a reason for which there were none before.
func (c *coverage) worse() (worse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := full; s <= unreadable; s++ {
		some := c.tree.count[s] > 0
		worse = worse || some && !c.told[s]
		c.told[s] = some
	}
	return worse
}

// exceptions says what is not watched though the rest is.
func exceptions(groups map[state]group, every time.Duration, exhausted bool) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if g, ok := groups[full]; ok {
		remedy := moreWatches(g.dirs)
		if exhausted {
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
