package text

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Clean makes a text one line without control sequences, unquoted: names of files and answers of servers hold anything.
func Clean(s string) string {
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

// Fit cuts a text to width cells at its end.
func Fit(s string, width int) string { return ansi.Truncate(s, max(width, 0), "…") }

// FitPath cuts a path to width cells in its middle: the end tells most.
func FitPath(s string, width int) string {
	cells := ansi.StringWidth(s)
	if cells <= width {
		return s
	}
	if width < 8 {
		return Fit(s, width)
	}
	head := ansi.Truncate(s, width/3, "")
	return head + ansi.TruncateLeft(s, cells-(width-ansi.StringWidth(head))+1, "…")
}

// Pad fills a text to width cells.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// PadLeft fills a text to width cells on the left.
func PadLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)) + s
}

// Wrap breaks a text between words, or within those that are longer than a line, into at most limit lines.
func Wrap(s string, width, limit int) []string {
	if width < 1 || limit < 1 || s == "" {
		return nil
	}
	lines := strings.Split(ansi.Wrap(s, width, ""), "\n")
	if len(lines) > limit {
		rest := strings.Join(lines[limit-1:], " ")
		lines = append(lines[:limit-1], Fit(rest, width))
	}
	for i, line := range lines {
		lines[i] = Fit(strings.TrimRight(line, " "), width)
	}
	return lines
}

// Gauge draws how much of total is done, in width cells; all, if total is 0.
func Gauge(done, total int64, width int) string {
	full := width
	if total > 0 {
		full = int(float64(width) * min(float64(max(done, 0))/float64(total), 1))
	}
	return strings.Repeat("━", full) + strings.Repeat("┄", width-full)
}

// Percent is how much of total is done, from 0 to 100; 100, if total is 0.
func Percent(done, total int64) int64 {
	if total <= 0 {
		return 100
	}
	return int64(min(float64(max(done, 0))/float64(total), 1) * 100)
}
