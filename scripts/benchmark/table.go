//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is the result, as markdown.
type table struct {
	about string
	judge bool // says which aims were missed
	rows  []row
}

// row says what was done, what each program took, what follows, and what was aimed at.
type row struct {
	what, ours, peer, ratio, aim string
	met                          bool
}

func (t *table) String() string { return t.about + tableHead + strings.Join(t.lines(), "") }

const tableHead = "\n\n| work | snapsync | beside | result | aim |\n| --- | --- | --- | --- | --- |\n"

func (t *table) lines() (lines []string) {
	for _, r := range t.rows {
		if t.judge && !r.met {
			r.aim += " **missed**"
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s |\n", r.what, r.ours, r.peer, r.ratio, r.aim))
	}
	return lines
}

// merged is String with the rows of an older table that this one has nothing about. Those of this one stand
// where the older one had them, or at its end.
func (t *table) merged(older string) string {
	isNew := make(map[string]bool)
	for _, r := range t.rows {
		isNew[r.what] = true
	}
	_, rows, _ := strings.Cut(older, tableHead)
	var kept []string
	at := -1
	for line := range strings.Lines(rows) {
		what, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !isNew[what] {
			kept = append(kept, line)
		} else if at < 0 {
			at = len(kept)
		}
	}
	if at < 0 {
		at = len(kept)
	}
	about := t.about
	if len(kept) > 0 {
		about += " Rows that were not measured again then are older."
	}
	return about + tableHead + strings.Join(slices.Insert(kept, at, t.lines()...), "")
}

// atMost adds a row for: ours takes at most limit times what peer takes.
func (t *table) atMost(what string, ours time.Duration, peer string, theirs time.Duration, limit float64) {
	ratio := ours.Seconds() / theirs.Seconds()
	t.rows = append(t.rows, row{what, seconds(ours), peer + " " + seconds(theirs),
		fmt.Sprintf("%.2f × its time", ratio), fmt.Sprintf("≤ %g ×", limit), ratio <= limit})
}

// faster adds a row for: ours is at least limit times as fast as peer.
func (t *table) faster(what string, ours time.Duration, peer string, theirs time.Duration, limit float64) {
	ratio := theirs.Seconds() / ours.Seconds()
	t.rows = append(t.rows, row{what, seconds(ours), peer + " " + seconds(theirs),
		fmt.Sprintf("%.1f × faster", ratio), fmt.Sprintf("≥ %g ×", limit), ratio >= limit})
}

// count adds a row for a number of things that must not be exceeded.
func (t *table) count(what string, ours int64, of, peer string, limit int64) {
	aim := fmt.Sprintf("≤ %d", limit)
	if limit == 0 {
		aim = "none"
	}
	t.rows = append(t.rows, row{what, fmt.Sprintf("%d %s", ours, of), peer, "", aim, ours <= limit})
}

// memory adds a row for peak resident memory in bytes.
func (t *table) memory(what string, ours int64, peer string, theirs, limitMB int64) {
	t.rows = append(t.rows, row{what, fmt.Sprintf("%d MB", ours/1e6), fmt.Sprintf("%s %d MB", peer, theirs/1e6),
		fmt.Sprintf("%.2f × its memory", float64(ours)/float64(theirs)), fmt.Sprintf("≤ %d MB", limitMB), ours <= limitMB*1e6})
}

// within adds a row for a time that must not be exceeded.
func (t *table) within(what string, ours time.Duration, peer string, limit time.Duration) {
	t.aim(what, millis(ours), peer, fmt.Sprintf("≤ %v", limit), ours <= limit)
}

// aim adds a row for a figure that stands for itself.
func (t *table) aim(what, ours, peer, aim string, met bool) {
	t.rows = append(t.rows, row{what: what, ours: ours, peer: peer, aim: aim, met: met})
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func (b *bench) about() string {
	size := ""
	if b.scale != 1 {
		size = fmt.Sprintf(" **Trees at %g of their size: these figures mean nothing.**", b.scale)
	}
	return fmt.Sprintf("Measured on %s, %s, %d cores, %s, servers on loopback, warm cache; median of %d, %s transfers.%s",
		time.Now().UTC().Format(time.DateOnly), runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), runtime.Version(), b.runs, transfers, size)
}

// The table stands between these lines of the README.
var markers = [2]string{"<!-- scripts/bench --readme writes from here -->\n", "<!-- to here -->\n"}

// update puts the table there, in place of the older one, or, if it is a part, in place of those rows.
func (t *table) update(file string, part bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(markers[0]))
	_, after, ok2 := bytes.Cut(rest, []byte(markers[1]))
	if !ok || !ok2 {
		return fmt.Errorf("update %s: the lines %q and %q are not there", file, markers[0], markers[1])
	}
	now := t.String()
	if part {
		older, _, _ := bytes.Cut(rest, []byte(markers[1]))
		now = t.merged(string(older))
	}
	return os.WriteFile(file, fmt.Appendf(nil, "%s%s%s%s%s", before, markers[0], now, markers[1], after), 0o644)
}
