package spelling

import "testing"

// A name of one's own in another spelling goes before an answer, and that before a near miss.
func TestMeant(t *testing.T) {
	names := []string{"exclude", "exclude-from", "max-delete", "settle_max"}
	answer := func(name string) string {
		return map[string]string{"max_delete": "A", "exclude_from": "B", "max-depth": "C"}[name]
	}
	for _, c := range []struct{ typed, name, said string }{
		{"max_delete", "max-delete", ""},
		{"exclude_from", "exclude-from", ""}, // not exclude, which it begins with
		{"Settle-Max", "settle_max", ""},
		{"max-depth", "", "C"},
		{"max-dellete", "max-delete", ""},
		{"colour", "", ""},
	} {
		if name, said := Meant(c.typed, names, answer); name != c.name || said != c.said {
			t.Errorf("%s: %q, %q; want %q, %q", c.typed, name, said, c.name, c.said)
		}
	}
	if near := Nearest("max-depth", names); near != "max-delete" {
		t.Errorf("nearest to max-depth is %q", near)
	}
}
