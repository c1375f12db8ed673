package guard

import "testing"

func TestParseMaxDelete(t *testing.T) {
	for _, c := range []struct {
		text    string
		files   int64
		limit   int64
		limited bool
	}{
		{"", 9, 0, false}, // the default leaves small trees alone
		{"", 10, 5, true},
		{"", 1001, 500, true},
		{"0", 100, 0, true},
		{"7", 3, 7, true},
		{"25%", 4, 1, true}, // what a person wrote holds for small trees too
		{"100%", 8, 8, true},
	} {
		var m MaxDelete
		if c.text != "" {
			var err error
			if m, err = ParseMaxDelete(c.text); err != nil {
				t.Fatal(err)
			}
			if m.String() != c.text {
				t.Errorf("%q round-trips to %q", c.text, m)
			}
		}
		if limit, limited := m.limit(c.files); limit != c.limit || limited != c.limited {
			t.Errorf("%q of %d files: %d, %v; want %d, %v", c.text, c.files, limit, limited, c.limit, c.limited)
		}
	}
	for _, bad := range []string{"-1", "101%", "x", "%", "5 %", "1e3"} {
		if _, err := ParseMaxDelete(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
