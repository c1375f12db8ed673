package remote

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFoldIsWhatAnyDiskFolds(t *testing.T) {
	letters, forms, ends := Caps{CaseInsensitive: true}, Caps{FormInsensitive: true}, Caps{EndInsensitive: true}
	all := Caps{CaseInsensitive: true, FormInsensitive: true, EndInsensitive: true}
	for _, twins := range []struct {
		caps *Caps
		a, b string
	}{
		{&letters, "README", "readme"},
		{&letters, "ΟΔΟΣ/x", "οδος/X"},
		{&letters, "ſ", "s"},
		{&letters, "µ", "μ"},
		{&letters, "K", "k"},
		{&letters, "Straße", "STRASSE"},
		{&letters, "\xff/README", "\xff/readme"},
		{&forms, "caf\u00e9", "cafe\u0301"},
		{&forms, "\u212b/x", "A\u030a/x"},
		{&ends, "a. /b.", "a/b"},
		{&all, "CAF\u00c9.", "cafe\u0301"},
	} {
		if twins.caps.Fold(twins.a) != twins.caps.Fold(twins.b) {
			t.Errorf("%q and %q have two folds with %+v", twins.a, twins.b, *twins.caps)
		}
		counts := Caps{}
		if counts.Fold(twins.a) != twins.a {
			t.Errorf("%q is folded where all names count", twins.a)
		}
	}
	for _, apart := range []struct {
		caps *Caps
		a, b string
	}{
		{&letters, "caf\u00e9", "cafe\u0301"},
		{&letters, "a.", "a"},
		{&letters, "\xffA", "\xffa"},
		{&forms, "A", "a"},
		{&forms, "x²", "x2"},
		{&ends, "..", "..."},
		{&ends, ".a", "a"},
	} {
		if apart.caps.Fold(apart.a) == apart.caps.Fold(apart.b) {
			t.Errorf("%q and %q have one fold with %+v", apart.a, apart.b, *apart.caps)
		}
	}
}

// Whatever a disk makes of letters one by one has one fold; folding is done once, and name by name.
func TestFoldProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		caps := Caps{
			CaseInsensitive: rapid.Bool().Draw(t, "case"), FormInsensitive: rapid.Bool().Draw(t, "form"), EndInsensitive: rapid.Bool().Draw(t, "ends"),
		}
		path := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-cA-C. ]{1,3}/){0,2}[a-cA-CéÉßſς. ]{1,4}`)).Draw(t, "path")
		fold := caps.Fold(path)
		if again := caps.Fold(fold); again != fold {
			t.Fatalf("fold of %q is %q, and of that %q", path, fold, again)
		}
		names, folded := strings.Split(path, "/"), strings.Split(fold, "/")
		if len(names) != len(folded) {
			t.Fatalf("fold of %q is %q", path, fold)
		}
		for i, name := range names {
			if caps.Fold(name) != folded[i] {
				t.Fatalf("fold of %q is %q, of its name %q %q", path, fold, name, caps.Fold(name))
			}
		}
		if !caps.CaseInsensitive {
			return
		}
		other := strings.Map(func(r rune) rune {
			if rapid.Bool().Draw(t, "other") {
				return unicode.SimpleFold(r)
			}
			return r
		}, path)
		if caps.Fold(other) != fold {
			t.Fatalf("%q and %q differ only in case, and have the folds %q and %q", path, other, fold, caps.Fold(other))
		}
	})
}
