package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

const (
	nameWidth      = 20 // of a column of names, at most
	indent         = "     "
	transfersShown = 8
	wide           = 120 // from here on there is room for more in a line
)

// headline is the line that every mapping has:
//
//	› ↑ photos   syncing   12s  1,204 pending  lag 12s  14 MiB/s                  → nas:photos
func (m *Mapping) headline(now time.Time, names, width int, chosen bool, t theme) string {
	mark := " "
	if chosen {
		mark = t.strong("›")
	}
	symbol, look := t.state(m.State)
	since := ""
	if !m.Since.IsZero() {
		since = age(now.Sub(m.Since))
	}
	left := fmt.Sprintf("%s %s %s  %s %s  %s", mark, look(symbol), t.strong(pad(fit(clean(m.Name), names), names)),
		look(pad(fit(clean(m.State), 8), 8)), padLeft(since, 4), m.facts(width >= wide, t))
	place := "→ " + clean(m.Remote)
	if width >= wide {
		place = clean(m.Source) + " " + place
	}
	room := width - ansi.StringWidth(left) - 2
	if room < 10 {
		return left
	}
	return left + "  " + t.dim(padLeft(fitPath(place, room), room))
}

// facts are the figures that matter now: how far behind, what needs a person, how fast.
func (m *Mapping) facts(all bool, t theme) string {
	var facts []string
	if m.Pending > 0 {
		facts = append(facts, count(m.Pending)+" pending")
	}
	if m.Lag > 0 {
		facts = append(facts, "lag "+age(m.Lag))
	}
	if m.Held > 0 {
		facts = append(facts, t.warn(count(m.Held)+" held"))
	}
	if m.Failed > 0 {
		facts = append(facts, t.bad(count(m.Failed)+" failed"))
	}
	if r := m.rate(); r > 0 {
		facts = append(facts, t.busy(rate(r)))
	}
	if all || len(facts) == 0 {
		facts = append(facts, counted(m.Files, "file")+", "+size(m.Bytes))
	}
	return strings.Join(facts, "  ")
}

// rate counts files as well that are sent too quickly to be seen in flight, if the Source does.
func (m *Mapping) rate() (sum float64) {
	if m.Rate > 0 {
		return m.Rate
	}
	for _, t := range m.Transfers {
		sum += t.Rate
	}
	return sum
}

// details are the lines beneath the headline, at most limit of them, the most important first.
func (m *Mapping) details(width, limit int, t theme) []string {
	var lines []string
	for _, line := range wrap(clean(m.Why), width-len(indent), min(limit, 3)) {
		if m.State == "idle" {
			line = t.dim(line)
		}
		lines = append(lines, indent+line)
	}
	if m.LastError != "" && !strings.Contains(m.Why, m.LastError) {
		for _, line := range wrap("last error: "+clean(m.LastError), width-len(indent), min(limit-len(lines), 3)) {
			lines = append(lines, indent+t.bad(line))
		}
	}
	return append(lines, m.transfers(width, limit-len(lines), t)...)
}

// transfers are lines such as
//
//	━━━━━━━━━━━━┄┄┄┄┄┄┄┄  61%  24 MiB   12 MiB/s  2024/IMG_0001.raw
func (m *Mapping) transfers(width, limit int, t theme) []string {
	shown := min(len(m.Transfers), transfersShown, limit)
	if shown < len(m.Transfers) && shown == limit && shown > 1 {
		shown-- // for the line that says how many more there are
	}
	bar := 10
	if width >= wide {
		bar = 30
	}
	var lines []string
	for _, f := range m.Transfers[:max(shown, 0)] {
		figures := fmt.Sprintf(" %3d%%  %8s  %10s  ", percent(f.Done, f.Size), size(f.Size), rate(f.Rate))
		path := fitPath(clean(f.Path), width-len(indent)-bar-len(figures))
		lines = append(lines, indent+t.busy(gauge(f.Done, f.Size, bar))+figures+path)
	}
	if more := len(m.Transfers) - shown; more > 0 && len(lines) < limit {
		lines = append(lines, indent+t.dim(fmt.Sprintf("and %s more", count(int64(more)))))
	}
	return lines
}
