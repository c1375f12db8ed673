package text

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Line makes a text one line that is safe to print: what a terminal or a reader of lines could take for a command is
// written as an escape of JSON.
func Line(s string) string {
	for _, r := range s {
		if r == '\n' || r == '\t' || unsafe(r) || r == utf8.RuneError {
			return string(appendSafe(nil, []byte(s), true))
		}
	}
	return s
}

// Safe is a writer for whatever people or programs read: lines of text, or of JSON. Control characters, C1 and those that
// turn the direction of writing among them, become escapes of JSON, which mean the same in JSON and nothing in a text.
// Newlines and tabs pass. A Write ends with a whole character.
type Safe struct{ io.Writer }

// Write implements io.Writer.
func (w Safe) Write(p []byte) (int, error) {
	safe := p
	for i, b := range p {
		if b >= utf8.RuneSelf || b < ' ' && b != '\n' && b != '\t' || b == 0x7f {
			safe = appendSafe(append(make([]byte, 0, len(p)+16), p[:i]...), p[i:], false)
			break
		}
	}
	if n, err := w.Writer.Write(safe); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// unsafe reports whether a character says something to a terminal, or is none. A newline and a tab are not unsafe.
func unsafe(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }

// appendSafe appends p with escapes; oneLine: of newlines and tabs as well.
func appendSafe(to, p []byte, oneLine bool) []byte {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && n == 1:
			to = append(to, "\uFFFD"...)
		case oneLine && r == '\n':
			to = append(to, `\n`...)
		case oneLine && r == '\t':
			to = append(to, `\t`...)
		case !unsafe(r):
			to = append(to, p[:n]...)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			to = fmt.Appendf(to, `\u%04x\u%04x`, high, low)
		default:
			to = fmt.Appendf(to, `\u%04x`, r)
		}
		p = p[n:]
	}
	return to
}
