package snapshot

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestArrange(t *testing.T) {
	markers := []string{".skip"}
	for _, test := range []struct {
		in   []Scope
		want scopes
	}{
		{nil, nil},
		{[]Scope{}, scopes{}},
		{[]Scope{{"", false}}, scopes{}},
		{[]Scope{{"a", false}, {"", true}}, nil},
		{[]Scope{{"a", false}, {".skip", false}}, nil},
		{[]Scope{{"b", false}, {"a", false}, {"a", true}, {"b", false}}, scopes{{"a", true}, {"b", false}}},
		{[]Scope{{"a/b/c", true}, {"a!", false}, {"a/b", false}}, scopes{{"a/b", false}, {"a/b/c", true}, {"a!", false}}},
		{[]Scope{{"a/b/c", true}, {"a", true}, {"ab", false}}, scopes{{"a", true}, {"ab", false}}},
		{[]Scope{{"a/.skip", false}, {"a/b", false}}, scopes{{"a", true}}},
	} {
		given := slices.Clone(test.in)
		if diff := cmp.Diff(test.want, arrange(given, markers)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.in, diff)
		}
		if !slices.Equal(given, test.in) {
			t.Errorf("%v was changed to %v", test.in, given)
		}
	}
}

// TestScopesProperty holds the parts that at returns against a search, and the names that lead there.
func TestScopesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var given []Scope
		for _, path := range rapid.SliceOf(paths).Draw(t, "paths") {
			given = append(given, Scope{Path: path, Deep: rapid.Bool().Draw(t, "deep")})
		}
		all := arrange(append([]Scope{}, given...), nil)
		for _, g := range given {
			if !slices.ContainsFunc(all, func(s Scope) bool { return s == g || s.Deep && (s.Path == g.Path || Beneath(g.Path, s.Path)) }) {
				t.Fatalf("%v is lost in %v", g, all)
			}
		}
		dir := paths.Draw(t, "dir")
		var want []Scope
		var names []string
		for _, s := range all {
			if s.Path == dir || Beneath(s.Path, dir) {
				want = append(want, s)
			}
			for path := s.Path; path != ""; path, _ = Split(path) {
				if above, name := Split(path); above == dir {
					names = append(names, name)
				}
			}
		}
		slices.Sort(names)
		at := all.at(dir)
		if at == nil || !slices.Equal(at, want) {
			t.Fatalf("at %q of %v: %v", dir, all, at)
		}
		if len(at) > 0 && at[0].Path == dir {
			at = at[1:]
		}
		if at == nil || !slices.Equal(at.names(dir), slices.Compact(names)) {
			t.Fatalf("names in %q of %v: %q", dir, at, at.names(dir))
		}
	})
}

func TestScopesNamesAreNames(t *testing.T) {
	s := arrange([]Scope{{"../x", false}, {"./x", false}, {"/x", false}, {"a//b", false}, {"a/../../b", true}, {"a/b", false}}, nil)
	if got := s.names(""); !slices.Equal(got, []string{"a"}) {
		t.Errorf("names in the root: %q", got)
	}
	if got := s.at("a").names("a"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("names in a: %q", got)
	}
}
