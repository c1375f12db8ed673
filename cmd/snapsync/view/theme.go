package view

import "github.com/charmbracelet/x/ansi"

// theme is how texts look. Everything that a colour says a word or a symbol says as well.
type theme struct{ dim, strong, good, busy, warn, bad style }

type style func(string) string

// coloured uses the sixteen colours that people choose for their terminal. The renderer takes out what
// the terminal, or NO_COLOR, does not allow.
func coloured() theme {
	of := func(s ansi.Style) style {
		return func(text string) string {
			if text == "" {
				return ""
			}
			return s.Styled(text)
		}
	}
	none := ansi.Style{}
	return theme{
		dim:    of(none.Faint()),
		strong: of(none.Bold()),
		good:   of(none.ForegroundColor(ansi.Green)),
		busy:   of(none.ForegroundColor(ansi.Cyan)),
		warn:   of(none.ForegroundColor(ansi.Yellow)),
		bad:    of(none.ForegroundColor(ansi.Red)),
	}
}

// plain is for tests: frames that can be read.
func plain() theme {
	same := func(text string) string { return text }
	return theme{same, same, same, same, same, same}
}

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
