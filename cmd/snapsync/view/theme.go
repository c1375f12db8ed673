package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// theme is how texts look. Everything that a colour says a word or a symbol says as well.
type theme struct{ dim, strong, good, busy, warn, bad style }

type style func(string) string

// themeFor is bold and dim, and in colours unless NO_COLOR forbids them: with any value, says no-color.org,
// where the renderer wants a true one. The colours are the sixteen that people choose for their terminal;
// what the terminal does not know the renderer takes out.
func themeFor(environ []string) theme {
	t := theme{
		dim: drawn(ansi.Style{}.Faint()), strong: drawn(ansi.Style{}.Bold()),
		good: undrawn, busy: undrawn, warn: undrawn, bad: undrawn,
	}
	for _, kv := range environ {
		if value, ok := strings.CutPrefix(kv, "NO_COLOR="); ok && value != "" {
			return t
		}
	}
	in := func(c ansi.BasicColor) style { return drawn(ansi.Style{}.ForegroundColor(c)) }
	t.good, t.busy, t.warn, t.bad = in(ansi.Green), in(ansi.Cyan), in(ansi.Yellow), in(ansi.Red)
	return t
}

func drawn(s ansi.Style) style {
	return func(text string) string {
		if text == "" {
			return ""
		}
		return s.Styled(text)
	}
}

func undrawn(text string) string { return text }

// plain is for what is no terminal.
var plain = theme{undrawn, undrawn, undrawn, undrawn, undrawn, undrawn}

// state is the symbol of a state, and how the two look.
func (t theme) state(word string) (symbol string, look style) {
	switch word {
	case "idle":
		return "✓", t.good
	case "scanning":
		return "○", t.busy
	case "syncing":
		return "↑", t.busy
	case "offline":
		return "✗", t.warn
	case "held":
		return "!", t.warn
	case "paused":
		return "=", t.warn
	}
	return "■", t.bad
}
