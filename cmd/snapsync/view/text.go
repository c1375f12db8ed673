package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/dustin/go-humanize"
)

func size(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

func rate(bytesPerSecond float64) string { return size(int64(bytesPerSecond)) + "/s" }

func count(n int64) string { return humanize.Comma(n) }

// counted says "1 file" or "2 files".
func counted(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// age is a duration in at most four cells, for a century.
func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%dy", d/(365*24*time.Hour))
}

// eta is how long so many bytes take at a rate; "": that cannot be said.
func eta(left int64, bytesPerSecond float64) string {
	if left <= 0 || bytesPerSecond < 1 {
		return ""
	}
	seconds := min(float64(left)/bytesPerSecond, 1e8)
	switch d := time.Duration(seconds * float64(time.Second)).Round(time.Second); {
	case d < time.Hour:
		return d.String()
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return age(d)
	}
}

// clean makes a text one line without control sequences: names of files and answers of servers hold
// anything.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// fit cuts a text to width cells at its end.
func fit(s string, width int) string { return ansi.Truncate(s, max(width, 0), "…") }

// fitPath cuts a path to width cells in its middle: the end tells most.
func fitPath(s string, width int) string {
	cells := ansi.StringWidth(s)
	if cells <= width {
		return s
	}
	if width < 8 {
		return fit(s, width)
	}
	head := ansi.Truncate(s, width/3, "")
	return head + ansi.TruncateLeft(s, cells-(width-ansi.StringWidth(head))+1, "…")
}

// pad fills a text to width cells.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// padLeft fills it on the left.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)) + s
}

// wrap breaks a text between words, or within those that are longer than a line, into at most limit lines.
func wrap(s string, width, limit int) []string {
	if width < 1 || limit < 1 || s == "" {
		return nil
	}
	lines := strings.Split(ansi.Wrap(s, width, ""), "\n")
	if len(lines) > limit {
		rest := strings.Join(lines[limit-1:], " ")
		lines = append(lines[:limit-1], fit(rest, width))
	}
	for i, line := range lines {
		lines[i] = fit(strings.TrimRight(line, " "), width)
	}
	return lines
}

func gauge(done, total int64, width int) string {
	full := width
	if total > 0 {
		full = int(float64(width) * min(float64(max(done, 0))/float64(total), 1))
	}
	return strings.Repeat("━", full) + strings.Repeat("┄", width-full)
}

func percent(done, total int64) int64 {
	if total <= 0 {
		return 100
	}
	return int64(min(float64(max(done, 0))/float64(total), 1) * 100)
}
