package service

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text is the unit. What systemd could do to confine the process and is left out would break mappings: a source
// may be anywhere, and so may a remote that is a directory, with any owner and any mode.
func (s *systemd) Text(j *Job) (string, error) {
	return render("snapsync.service.tmpl", struct {
		*Job
		System                  bool
		Name, Systemctl, Target string
	}{j, s.system, Name, strings.Join(s.command(), " "), s.target()})
}

// execLine writes a command as systemd.service(5) reads it. Variables are not replaced in its first word.
func execLine(program string, args []string) string {
	words := []string{unitQuote(program)}
	for _, arg := range args {
		words = append(words, strings.ReplaceAll(unitQuote(arg), "$", "$$"))
	}
	return strings.Join(words, " ")
}

// unitQuote makes s one word: quoted if it has to be, specifiers switched off, odd bytes escaped, which
// includes those that are not UTF-8, as systemd drops lines that have them.
func unitQuote(s string) string {
	var b strings.Builder
	plain := s != ""
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, s[i])
			plain = false
		case r == '%':
			b.WriteString("%%")
		case r == '"', r == '\\':
			b.WriteString(`\` + s[i:i+n])
			plain = false
		default:
			plain = plain && !strings.ContainsRune(" ';#", r)
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	if plain {
		return b.String()
	}
	return `"` + b.String() + `"`
}

// unitPathEscape is for settings that take one path up to the end of the line.
func unitPathEscape(path string) string { return strings.ReplaceAll(singleLine(path), "%", "%%") }

// singleLine keeps a path from becoming a line of its own.
func singleLine(s string) string { return strings.NewReplacer("\n", "?", "\r", "?").Replace(s) }
