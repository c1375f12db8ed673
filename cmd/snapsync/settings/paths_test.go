package settings

import "testing"

func TestPaths(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("DATA", "/data")
	for _, c := range []struct {
		what string
		fn   func(string) (string, error)
		text string
		want string // or what the error says
	}{
		{"directory", Directory, "/a", "/a"},
		{"directory", Directory, "~", "/home/me"},
		{"directory", Directory, "~/a b/", "/home/me/a b"},
		{"directory", Directory, "$DATA/x", "/data/x"},
		{"directory", Directory, "${DATA}x", "/datax"},
		{"directory", Directory, "/cost$$", "/cost$"},
		{"directory", Directory, "~/$$HOME", "/home/me/$HOME"},
		{"directory", Directory, "$NOT_THERE_/x$NOR_THIS", "$NOT_THERE_, $NOR_THIS is not set in the environment: $$ is a dollar sign"},
		{"directory", Directory, "~you/x", "~you/x: only ~/ is known, not the home of others: write the whole path"},
		{"directory", Directory, "a/b", "a/b is relative: start it with / or ~/"},
		{"remote", RemoteOf, "nas:a$b", "nas:a$b"},
		{"remote", RemoteOf, "~/a$b", "/home/me/a$b"},
		{"remote", RemoteOf, ":local:/x", ":local:/x"},
		{"remote", RemoteOf, "x", "x is a relative directory: start it with / or ~/, or name a remote as in nas:x"},
	} {
		got, err := c.fn(c.text)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %q: %s, want %s", c.what, c.text, got, c.want)
		}
	}
	if got, err := fileIn("/etc/snapsync", "rules.txt"); got != "/etc/snapsync/rules.txt" || err != nil {
		t.Errorf("%s %v", got, err)
	}
}
