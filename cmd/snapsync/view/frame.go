package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"

	"github.com/charmbracelet/x/ansi"
)

// frame is everything that one picture shows. Drawing it is pure.
type frame struct {
	mappings []Mapping
	log      []string // oldest first
	now      time.Time
	chosen   int    // which mapping keys are for; -1: all
	notice   string // of the last key, in place of the list of keys
	stopping bool
	help     bool
	looking  bool // keys steer nothing
	// wishes are what p asked for last, by mapping: pausing may wait for what is under way.
	wishes map[string]bool
}

// draw returns at most height lines of at most width cells each.
func (f *frame) draw(width, height int, t theme) []string {
	if width < 1 || height < 1 {
		return nil
	}
	lines := []string{f.header(width, t)}
	body := max(height-2, 0)
	if f.help {
		lines = append(lines, f.helpPage(body, t)...)
	} else {
		lines = append(lines, f.body(width, body, t)...)
	}
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	lines = append(lines, f.footer(t))
	for i, line := range lines {
		lines[i] = text.Fit(line, width)
	}
	return lines[:min(len(lines), height)]
}

// header counts the states and says how far behind all is: what a glance is for.
func (f *frame) header(width int, t theme) string {
	title := t.strong("snapsync")
	if f.stopping {
		title += "  " + t.warn("stopping: what is under way is being finished; q again leaves at once")
		return title
	}
	parts := []string{title, text.Counted(int64(len(f.mappings)), "mapping")}
	counts := map[string]int{}
	var lag time.Duration
	var speed float64
	for _, m := range f.mappings {
		counts[m.State]++
		lag = max(lag, m.lag())
		speed += m.rate(f.now)
	}
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		_, look := t.state(word)
		parts = append(parts, look(fmt.Sprintf("%d %s", counts[word], text.Clean(word))))
	}
	if lag > 0 {
		parts = append(parts, "lag "+text.Age(lag))
	}
	if speed > 0 {
		parts = append(parts, text.Rate(speed))
	}
	left, clock := strings.Join(parts, "  "), f.now.Format("15:04:05")
	if room := width - ansi.StringWidth(left) - 2; room >= len(clock) {
		return left + "  " + t.dim(text.PadLeft(clock, room))
	}
	return left
}

// body shares the rows: a headline for each mapping first, then what is to be known about them, and at
// least two fifths of what is left for what was done lately and the log.
func (f *frame) body(width, rows int, t theme) []string {
	first, shown := f.window(rows)
	rest := rows - shown
	if shown < len(f.mappings) {
		rest-- // for the line that says how many more there are
	}
	recent, log := section(len(f.recent(recentShown))), section(len(f.logLines(width, logShown)))
	tail := recent + log
	if width >= columns {
		tail = max(recent, log)
	}
	limits := f.share(first, shown, max(rest-tail, rest*3/5), width, t)
	names := f.names()
	var lines []string
	for i := first; i < first+shown; i++ {
		m := &f.mappings[i]
		lines = append(lines, m.headline(f.now, names, width, i == f.chosen, t))
		lines = append(lines, m.details(f.now, width, limits[i-first], t)...)
	}
	if hidden := len(f.mappings) - shown; hidden > 0 && len(lines) < rows {
		lines = append(lines, t.dim(fmt.Sprintf("    and %s (↑ ↓)", text.Counted(int64(hidden), "more mapping"))))
	}
	if len(f.mappings) == 0 && rows > 0 {
		lines = append(lines, "    no mappings")
	}
	return append(lines, f.tail(width, rows-len(lines), t)...)
}

// names is how wide a column of names is.
func (f *frame) names() (width int) {
	for _, m := range f.mappings {
		width = max(width, min(ansi.StringWidth(text.Clean(m.Status.Mapping)), nameWidth))
	}
	return width
}

// window is which mappings have a line: all, or those around the chosen one.
func (f *frame) window(rows int) (first, shown int) {
	n := len(f.mappings)
	if n <= rows {
		return 0, n
	}
	shown = max(rows-1, 0)
	first = min(max(f.chosen-shown/2, 0), n-shown)
	return first, shown
}

// share gives each mapping a number of detail lines, one after the other until rows are used up, so that a
// busy mapping cannot hide why another one is in trouble.
func (f *frame) share(first, shown, rows, width int, t theme) []int {
	limits, wanted := make([]int, shown), make([]int, shown)
	for i := range wanted {
		wanted[i] = len(f.mappings[first+i].details(f.now, width, 100, t))
	}
	for _, idle := range []bool{false, true} { // what is in order comes last
		for given := true; given && rows > 0; {
			given = false
			for i := range limits {
				if limits[i] < wanted[i] && rows > 0 && idle == (f.mappings[first+i].State == "idle") {
					limits[i]++
					rows--
					given = true
				}
			}
		}
	}
	return limits
}

// columns is from where on recent actions and the log stand side by side.
const columns = 160

const (
	logShown   = 50 // rows of the log that may be on a screen
	logWrapped = 3  // rows that one of them may take: what is wrong, and the remedy, come at its end
)

// logLines are the newest lines of the log in up to n rows of less than width, oldest first.
func (f *frame) logLines(width, n int) []string {
	var rows []string
	for _, line := range slices.Backward(f.log) {
		room := n - len(rows)
		if room <= 0 {
			break
		}
		parts := []string{line} // cut, if there is room for one row only
		if room > 1 && line != "" {
			parts = text.Wrap(line, width-3, min(room, logWrapped))
		}
		for i := 1; i < len(parts); i++ {
			parts[i] = "  " + parts[i]
		}
		rows = append(parts, rows...)
	}
	return rows
}

// section is how many rows so many lines need with their title.
func section(lines int) int {
	if lines == 0 {
		return 0
	}
	return lines + 1
}

// tail is what was done lately and the log, newest last.
func (f *frame) tail(width, rows int, t theme) []string {
	if rows < 2 {
		return nil
	}
	recent, log := f.recentLines(rows, t), f.logLines(width, logShown)
	if width >= columns && len(recent) > 0 && len(log) > 0 {
		half := (width - 2) / 2
		log = f.logLines(half, rows-1)
		return beside(titled("recent", recent, half, rows, t), titled("log", log, half, rows, t), half)
	}
	forLog := min(section(len(log)), max(rows/2, rows-section(len(recent))))
	lines := titled("recent", recent, width, rows-forLog, t)
	return append(lines, titled("log", f.logLines(width, rows-len(lines)-1), width, rows-len(lines), t)...)
}

// titled is a section: a rule with a title and the last of lines, if there is room for any.
func titled(title string, lines []string, width, rows int, t theme) []string {
	if len(lines) == 0 || rows < 2 {
		return nil
	}
	rule := t.dim("── " + title + " " + strings.Repeat("─", max(width-len(title)-4, 0)))
	out := []string{rule}
	for _, line := range lines[max(len(lines)-rows+1, 0):] {
		out = append(out, text.Fit(" "+line, width))
	}
	return out
}

// beside joins two columns.
func beside(left, right []string, width int) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) {
			lines[i] = text.Pad(lines[i], width) + "  " + right[i]
		}
	}
	return lines
}

// happened is an action of a mapping.
type happened struct {
	Action
	mapping string
}

const recentShown = 100

// recent is the last n actions of all mappings, oldest first.
func (f *frame) recent(n int) []happened {
	var all []happened
	for _, m := range f.mappings {
		for _, a := range m.Recent[max(len(m.Recent)-n, 0):] {
			all = append(all, happened{a, m.Status.Mapping})
		}
	}
	slices.SortStableFunc(all, func(a, b happened) int { return a.At.Compare(b.At) })
	return all[max(len(all)-n, 0):]
}

func (f *frame) recentLines(n int, t theme) []string {
	var lines []string
	names := f.names()
	for _, a := range f.recent(n) {
		what, name := text.Clean(a.Text), ""
		if a.Failed {
			what = t.bad(what)
		}
		if len(f.mappings) > 1 {
			name = text.Pad(text.Fit(text.Clean(a.mapping), names), names) + "  "
		}
		lines = append(lines, t.dim(a.At.Format("15:04:05")+"  "+name)+what)
	}
	return lines
}

// footer tells the keys and what they are for.
func (f *frame) footer(t theme) string {
	if f.notice != "" {
		return " " + t.warn(text.Clean(f.notice))
	}
	if f.looking {
		keys := "q or Ctrl-C ends it  "
		if len(f.mappings) > 1 {
			keys += "↑↓ choose  "
		}
		return " " + t.dim(keys+"? help")
	}
	target := ""
	if len(f.mappings) > 1 {
		target = " all"
		if m := f.target(); m != nil {
			target = " " + text.Fit(text.Clean(m.Status.Mapping), nameWidth)
		}
	}
	pause := "p pause"
	if f.allPaused() {
		pause = "p resume"
	}
	keys := []string{"q quit", pause + target, "s sync" + target, "? help"}
	if len(f.mappings) > 1 {
		keys = slices.Insert(keys, 3, "↑↓ choose")
	}
	return " " + t.dim(strings.Join(keys, "  "))
}

// target is the mapping that keys are for; nil: all.
func (f *frame) target() *Mapping {
	if f.chosen < 0 || f.chosen >= len(f.mappings) {
		return nil
	}
	return &f.mappings[f.chosen]
}

// targets are the mappings that keys are for.
func (f *frame) targets() []Mapping {
	if m := f.target(); m != nil {
		return []Mapping{*m}
	}
	return f.mappings
}

// allPaused reports whether p would resume.
func (f *frame) allPaused() bool {
	goesOn := func(m Mapping) bool {
		paused, wished := f.wishes[m.Status.Mapping]
		return wished && !paused || !wished && m.State != "paused"
	}
	targets := f.targets()
	return len(targets) > 0 && !slices.ContainsFunc(targets, goesOn)
}

// helpPage tells what the keys and the words mean; what has no room is left out from the end.
func (f *frame) helpPage(rows int, t theme) []string {
	lines, resume := []string{"", "  q, Ctrl-C   end this view; what runs goes on"}, "'snapsync resume'"
	if !f.looking {
		resume = "p or 'snapsync resume'"
		lines = []string{
			"",
			"  q, Ctrl-C   stop: what is under way is finished first; a second time: at once",
			"  p           pause and resume the chosen mapping, or all",
			"  s           look at everything and sync now",
		}
	}
	lines = append(lines, "  ↑ ↓ k j     choose a mapping; Esc: all again", "  ?           this page", "")
	for _, s := range [][2]string{
		{"idle", "everything that is known is on the remote"},
		{"scanning", "the source is being looked at"},
		{"syncing", "steps are being carried out"},
		{"offline", "the remote cannot be reached; it is tried again by itself"},
		{"held", "a person must look: 'snapsync plan', then 'snapsync approve'"},
		{"paused", "nothing is sent until " + resume},
		{"stopped", "it is not being kept true; its lines say why, and what helps"},
	} {
		symbol, look := t.state(s[0])
		lines = append(lines, fmt.Sprintf("  %s %s  %s", look(symbol), look(text.Pad(s[0], 9)), s[1]))
	}
	lines = append(lines, "", "  lag is the age of the oldest change that is not on the remote yet")
	return lines[:min(len(lines), rows)]
}
