package hint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// clockwork is a collection of hints with a clock that counts in milliseconds.
type clockwork struct {
	*Queue
	t0 time.Time
}

func newClockwork() *clockwork {
	return &clockwork{NewQueue(500*time.Millisecond, 3*time.Second, 5*time.Second), time.Unix(1000, 0)}
}

func (c *clockwork) at(ms int) time.Time { return c.t0.Add(time.Duration(ms) * time.Millisecond) }

// takes returns what is due: the paths, those in their grace with a question mark.
func (c *clockwork) takes(ms int) string {
	taken, all := c.Take(c.at(ms))
	if all {
		return "everything"
	}
	var names []string
	for _, p := range taken {
		name := p.Path
		if p.Deep {
			name += "/**"
		}
		if p.InGrace(c.at(ms)) {
			name += "?"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestHintsSettle(t *testing.T) {
	c := newClockwork()
	c.Add(Hint{Path: "a"}, c.at(0))
	c.Add(Hint{Path: "b"}, c.at(300))
	c.Add(Hint{Path: "a"}, c.at(400))
	got := []string{c.takes(799), c.takes(800), c.takes(899), c.takes(900), c.takes(9000)}
	if diff := cmp.Diff([]string{"", "b", "", "a", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A path that is never quiet is due after the limit, and again after another one.
func TestHintsNeverQuiet(t *testing.T) {
	c := newClockwork()
	var due []int
	for ms := 0; ms <= 7000; ms += 100 {
		c.Add(Hint{Path: "log"}, c.at(ms))
		if c.takes(ms) != "" {
			due = append(due, ms)
		}
	}
	if diff := cmp.Diff([]int{3000, 6100}, due); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What went waits for its other half, and goes along with it.
func TestHintsGrace(t *testing.T) {
	c := newClockwork()
	c.Add(Hint{Path: "old", Gone: true}, c.at(0))
	c.Add(Hint{Path: "other", Gone: true}, c.at(0))
	if got := c.takes(600); got != "" {
		t.Errorf("what went was due at once: %s", got)
	}
	c.Add(Hint{Path: "new", Deep: true}, c.at(1000))
	if got := c.takes(1500); got != "new/** old? other?" {
		t.Errorf("got %s", got)
	}
	taken, _ := c.Take(c.at(1500))
	c.Requeue(taken)
	c.Requeue([]*Pending{{Path: "other", First: c.at(0), Last: c.at(0), Gone: true, index: -1}})
	if got := []string{c.takes(4999), c.takes(5000)}; !slices.Equal(got, []string{"", "other"}) {
		t.Errorf("got %q", got)
	}
}

// inotify tells of a directory that was renamed: it went, the other came, and it went again. The watcher may
// need some time for what came before it gets to the last of these.
func TestHintsGoneTwice(t *testing.T) {
	c := newClockwork()
	c.Add(Hint{Path: "old", Gone: true}, c.at(0))
	c.Add(Hint{Path: "new", Deep: true}, c.at(0))
	c.Add(Hint{Path: "old", Gone: true}, c.at(20))
	if got := c.takes(500); got != "new/** old?" {
		t.Errorf("got %q", got)
	}
}

// What went and came back is no removal any more.
func TestHintsComeBack(t *testing.T) {
	c := newClockwork()
	c.Add(Hint{Path: "a", Gone: true}, c.at(0))
	c.Add(Hint{Path: "a"}, c.at(100))
	if got := c.takes(600); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestHintsEverything(t *testing.T) {
	c := newClockwork()
	c.Add(Hint{Path: "a"}, c.at(0))
	c.Add(Hint{Deep: true}, c.at(1))
	if n, oldest := c.Count(); n != 0 || !oldest.Equal(c.at(1)) {
		t.Errorf("got %d hints since %v", n, oldest)
	}
	if got := []string{c.takes(1), c.takes(9000)}; !slices.Equal(got, []string{"everything", ""}) {
		t.Errorf("got %q", got)
	}
}

// However often a path is deferred, it waits once, and since the first time.
func TestDeferredOnce(t *testing.T) {
	c := newClockwork()
	for i := range 100 {
		c.Defer([]*Pending{{Path: "log", First: c.at(i * 1000), Deep: i == 0, index: -1}})
	}
	if next := c.Next(); !next.IsZero() {
		t.Errorf("what is deferred is due at %v", next)
	}
	c.Undefer()
	taken, _ := c.Take(c.at(1_000_000))
	if len(taken) != 1 || !taken[0].First.Equal(c.at(0)) || !taken[0].Deep {
		t.Errorf("taken: %+v", taken)
	}
}

// Whatever is hinted is taken in the end, never before it was quiet unless it waited for the limit or went
// along with something, and next never lies.
func TestHintsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClockwork()
		first, last := map[string]int{}, map[string]int{}
		gone := map[string]bool{}
		now, removed := 0, 0 // when anything went last: in less than a minute nothing else ends the wait
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.IntRange(0, 1200).Draw(t, "wait")
			path := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "path")
			if rapid.Bool().Draw(t, "hint") {
				g := rapid.Bool().Draw(t, "gone")
				if _, known := first[path]; !known || gone[path] && !g && now-last[path] >= 3000 {
					first[path] = now
				}
				if last[path], gone[path] = now, g; g {
					removed = now
				}
				c.Add(Hint{Path: path, Gone: g}, c.at(now))
				continue
			}
			due := !c.Next().IsZero() && !c.Next().After(c.at(now))
			got := c.takes(now)
			if due != (got != "") {
				t.Fatalf("at %d next says %v, taken: %q", now, due, got)
			}
			for name := range strings.FieldsSeq(got) {
				path, waits := strings.CutSuffix(name, "?")
				if quiet := now - last[path]; quiet < 500 && now-first[path] < 3000 && !waits {
					t.Fatalf("%s taken at %d after %d ms of quiet", name, now, quiet)
				}
				if waits != (gone[path] && now-removed < 5000) {
					t.Fatalf("%s taken at %d, gone %v, the last removal at %d", name, now, gone[path], removed)
				}
				delete(first, path)
			}
		}
		got := c.takes(now + 20_000)
		if len(strings.Fields(got)) != len(first) {
			t.Fatalf("left over: %q, want %v", got, first)
		}
	})
}

func BenchmarkHints(b *testing.B) {
	names := make([]string, 10_000)
	for i := range names {
		names[i] = strings.Repeat("d/", i%7) + "file" + string(rune('a'+i%26)) + time.Duration(i).String()
	}
	now := time.Now()
	h := NewQueue(500*time.Millisecond, 30*time.Second, 5*time.Second)
	for i := 0; b.Loop(); i++ {
		h.Add(Hint{Path: names[i%len(names)]}, now)
		if now = now.Add(10 * time.Microsecond); i%1000 == 0 {
			h.Take(now)
		}
	}
}

// While removals keep coming nothing that went is due, whatever else is; then all of it is, at once.
func TestHintsOfABurst(t *testing.T) {
	c := newClockwork()
	var due []string
	for ms := 0; ms <= 14_000; ms += 100 {
		if ms < 8000 && ms%1000 == 0 {
			c.Add(Hint{Path: fmt.Sprint("gone", ms/1000), Gone: true}, c.at(ms))
			c.Add(Hint{Path: "edited"}, c.at(ms+100))
		}
		taken, _ := c.Take(c.at(ms))
		var waiting []*Pending
		for _, p := range taken {
			if p.InGrace(c.at(ms)) {
				waiting = append(waiting, p)
			} else if p.Gone {
				due = append(due, fmt.Sprint(p.Path, " at ", ms))
			}
		}
		c.Requeue(waiting)
		if next := c.Next(); !next.IsZero() && !next.After(c.at(ms)) {
			t.Fatalf("at %d something is due already, and was not taken", ms)
		}
	}
	slices.Sort(due)
	if got := strings.Join(due, ", "); strings.Count(got, " at 12000") != 8 || len(due) != 8 {
		t.Errorf("due: %s", got)
	}
}

// Where removals never end they wait for each other for a minute, and not for ever.
func TestHintsOfEndlessRemovals(t *testing.T) {
	c := newClockwork()
	longest, rounds := 0, 0
	for ms := 0; ms <= 300_000; ms += 500 {
		c.Add(Hint{Path: fmt.Sprint(ms), Gone: true}, c.at(ms))
		taken, _ := c.Take(c.at(ms))
		var waiting []*Pending
		for _, p := range taken {
			if p.InGrace(c.at(ms)) {
				waiting = append(waiting, p)
				continue
			}
			longest = max(longest, int(c.at(ms).Sub(p.First).Milliseconds()))
		}
		if len(taken) > 0 {
			rounds++
		}
		c.Requeue(waiting)
	}
	if longest > 65_000 || rounds < 4 || rounds > 6 {
		t.Errorf("the longest wait was %d ms, in %d rounds", longest, rounds)
	}
}
