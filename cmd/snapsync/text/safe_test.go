package text_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

var hostile = rapid.StringOf(rapid.OneOf(
	rapid.Rune(), rapid.SampledFrom([]rune{'\x1b', '\u009b', '\u202e', '\u2066', '\x7f', '\r', '\n', '\t', '\u2028', '\U000e0041', '"', '\\', 'ü'}),
))

// TestSafe writes any JSON and any text: what arrives holds nothing but what can be printed, newlines and tabs, and JSON means
// what it meant.
func TestSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := hostile.Draw(t, "said")
		var plain, object, shown bytes.Buffer
		if err := text.WriteJSON(&plain, map[string]string{"a": said}); err != nil {
			t.Fatal(err)
		}
		if n, err := (text.Safe{Writer: &object}).Write(plain.Bytes()); err != nil || n != plain.Len() {
			t.Fatalf("wrote %d of %d bytes: %v", n, plain.Len(), err)
		}
		var back map[string]string
		if err := json.Unmarshal(object.Bytes(), &back); err != nil || back["a"] != said {
			t.Errorf("%q came back as %q from %q: %v", said, back["a"], object.String(), err)
		}
		if _, err := (text.Safe{Writer: &shown}).Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]string{"json": object.String(), "text": shown.String(), "line": text.Line(said)} {
			if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) && !strings.ContainsRune("\n\t", r) }); i >= 0 {
				t.Errorf("%s of %q has %q", what, said, got[i:])
			}
		}
		if strings.ContainsAny(text.Line(said), "\n\t") {
			t.Errorf("%q has several lines", text.Line(said))
		}
	})
}

// TestSafeBytes writes what is no UTF-8, which a terminal of another encoding would obey.
func TestSafeBytes(t *testing.T) {
	var b bytes.Buffer
	if n, err := (text.Safe{Writer: &b}).Write([]byte("a\x9b31mb\xff")); n != 7 || err != nil || !utf8.ValidString(b.String()) || b.String() != "a\uFFFD31mb\uFFFD" {
		t.Errorf("%q, %d, %v", b.String(), n, err)
	}
}
