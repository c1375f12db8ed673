package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"

	"github.com/charmbracelet/x/ansi"
)

const (
	nameWidth      = 20 // of a column of names, at most
	indent         = "     "
	transfersShown = 8
	wide           = 120 // from here on there is room for more in a line
	narrow         = 55  // below, there is none for a gauge
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
	if m.Since != nil {
		since = text.Age(now.Sub(*m.Since))
	}
	left := fmt.Sprintf("%s %s %s  %s %s  %s", mark, look(symbol), t.strong(text.Pad(text.Fit(text.Clean(m.Status.Mapping), names), names)),
		look(text.Pad(text.Fit(text.Clean(m.State), 8), 8)), text.PadLeft(since, 4), m.facts(now, width >= wide, t))
	place := "→ " + text.Clean(m.Remote)
	if width >= wide {
		place = text.Clean(m.Source) + " " + place
	}
	room := width - ansi.StringWidth(left) - 2
	if room < 10 {
		return left
	}
	return left + "  " + t.dim(text.PadLeft(text.FitPath(place, room), room))
}

// facts are the figures that matter now: how far behind, what needs a person, how fast.
func (m *Mapping) facts(now time.Time, all bool, t theme) string {
	var facts []string
	if m.Pending > 0 {
		facts = append(facts, text.Count(m.Pending)+" pending")
	}
	if lag := m.lag(); lag > 0 {
		facts = append(facts, "lag "+text.Age(lag))
	}
	if m.Held > 0 {
		facts = append(facts, t.warn(text.Count(m.Held)+" held"))
	}
	if m.Failed > 0 {
		facts = append(facts, t.bad(text.Count(m.Failed)+" failed"))
	}
	if r := m.rate(now); r > 0 {
		facts = append(facts, t.busy(text.Rate(r)))
	}
	if all || len(facts) == 0 {
		facts = append(facts, text.Counted(m.Files, "file")+", "+text.Size(m.Bytes))
	}
	return strings.Join(facts, "  ")
}

// details are the lines beneath the headline, at most limit of them, the most important first.
func (m *Mapping) details(now time.Time, width, limit int, t theme) []string {
	var lines []string
	last := m.Trouble()
	for _, line := range text.Wrap(text.Clean(m.why()), width-len(indent), min(limit, 3)) {
		if m.State == "idle" {
			line = t.dim(line)
		}
		lines = append(lines, indent+line)
	}
	if last != "" && !strings.Contains(m.why(), last) {
		for _, line := range text.Wrap("last error: "+text.Clean(last), width-len(indent), min(limit-len(lines), 3)) {
			lines = append(lines, indent+t.bad(line))
		}
	}
	for _, f := range m.Failures {
		line := text.Path(f.Path) + ": " + text.WithoutPath(f.Message, f.Path)
		if len(lines) < limit && line != last {
			lines = append(lines, indent+t.bad(text.Fit(text.Clean(line), width-len(indent))))
		}
	}
	if m.Live != nil && m.Live.Left > 0 && len(lines) < limit {
		line := text.Size(m.Live.Left) + " left"
		if eta := text.ETA(m.Live.Left, m.rate(now)); eta != "" {
			line += "  ETA " + eta
		}
		lines = append(lines, indent+line)
	}
	for _, line := range transferLines(m.transfers(now), width-len(indent), limit-len(lines), t) {
		lines = append(lines, indent+line)
	}
	return lines
}

// barWidth is that of a gauge in lines of width cells; 0: there is no room for one.
func barWidth(width int) int {
	switch {
	case width < narrow:
		return 0
	case width < wide-len(indent):
		return 10
	}
	return 30
}

// transferLines are at most limit lines such as
//
//	━━━━━━━━━━━━┄┄┄┄┄┄┄┄  61%  24 MiB   12 MiB/s  2024/IMG_0001.raw
func transferLines(all []Transfer, width, limit int, t theme) []string {
	shown := min(len(all), transfersShown, limit)
	if shown < len(all) && shown == limit && shown > 1 {
		shown-- // for the line that says how many more there are
	}
	bar := barWidth(width)
	var lines []string
	for _, f := range all[:max(shown, 0)] {
		figures := fmt.Sprintf("%3d%%  %8s  ", text.Percent(f.Done, f.Size), text.Size(f.Size))
		if bar > 0 {
			figures = t.busy(text.Gauge(f.Done, f.Size, bar)) + " " + figures + text.PadLeft(text.Rate(f.Rate), 10) + "  "
		}
		lines = append(lines, figures+text.FitPath(text.Clean(f.Path), width-ansi.StringWidth(figures)))
	}
	if more := len(all) - shown; more > 0 && len(lines) < limit {
		lines = append(lines, t.dim(fmt.Sprintf("and %s more", text.Count(int64(more)))))
	}
	return lines
}
