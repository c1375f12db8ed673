package snapshot

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestEntrySize(t *testing.T) {
	if size := unsafe.Sizeof(Entry{}); size != 64 {
		t.Errorf("an entry has %d bytes, want 64", size)
	}
}

func TestSame(t *testing.T) {
	file := Entry{Kind: File, Size: 1, Mtime: 2, Ctime: 3, Dev: 4, Ino: 5, HashType: XXH3, Hash: Hash{6}}
	for _, test := range []struct {
		name                string
		edit                func(e *Entry)
		stat, file, content bool
	}{
		{"nothing", func(*Entry) {}, true, true, true},
		{"kind", func(e *Entry) { e.Kind = Symlink }, false, false, false},
		{"size", func(e *Entry) { e.Size++ }, false, false, false},
		{"mtime", func(e *Entry) { e.Mtime++ }, false, false, true},
		{"ctime", func(e *Entry) { e.Ctime++ }, false, false, true},
		{"device", func(e *Entry) { e.Dev++ }, true, false, true},
		{"inode", func(e *Entry) { e.Ino++ }, false, false, true},
		{"mode", func(e *Entry) { e.Mode++ }, true, true, true},
		{"flags", func(e *Entry) { e.Flags = Racy }, true, true, true},
		{"hash", func(e *Entry) { e.Hash[15]++ }, true, true, false},
		{"hash type", func(e *Entry) { e.HashType++ }, true, true, false},
		{"no hash", func(e *Entry) { e.HashType, e.Hash = NoHash, Hash{} }, true, true, false},
	} {
		other := file
		test.edit(&other)
		if got := file.SameStat(&other); got != test.stat {
			t.Errorf("%s differs: SameStat is %v", test.name, got)
		}
		if got := file.SameFile(&other); got != test.file {
			t.Errorf("%s differs: SameFile is %v", test.name, got)
		}
		if got := other.SameContent(&file); got != test.content {
			t.Errorf("%s differs: SameContent is %v", test.name, got)
		}
	}
	if (&Entry{Kind: File}).SameFile(&Entry{Kind: File}) {
		t.Error("files without an inode are the same file")
	}
	for _, file := range []Entry{{Kind: File, Ino: 5, Mtime: 2}, {Kind: File, Ino: 5, Mtime: 7e9, Ctime: 7e9}} {
		if same := file; file.SameFile(&same) {
			t.Errorf("%+v is proved to be the same file, though it has no ctime of its own", file)
		}
	}
	if (&Entry{Kind: File}).SameContent(&Entry{Kind: File}) {
		t.Error("unknown contents are the same")
	}
}

func TestValidate(t *testing.T) {
	good := Entry{Kind: File, Flags: Racy | Retained | Adopted, HashType: lastHashType}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, e := range map[string]Entry{
		"kind":      {},
		"size":      {Kind: File, Size: -1},
		"flags":     {Kind: File, Flags: 1 << 7},
		"hash type": {Kind: File, HashType: lastHashType + 1},
		"hash":      {Kind: File, Hash: Hash{1}},
	} {
		if err := e.Validate(); err == nil || !strings.HasPrefix(err.Error(), "entry: ") {
			t.Errorf("an impossible %s: %v", name, err)
		}
	}
}

func TestHashTypeRoundTrip(t *testing.T) {
	for h := XXH3; h <= lastHashType; h++ {
		if got, ok := ParseHashType(h.String()); !ok || got != h {
			t.Errorf("parse %q: %v, %v", h.String(), got, ok)
		}
	}
	for _, name := range []string{"", "MD5", "hash(99)"} {
		if h, ok := ParseHashType(name); ok {
			t.Errorf("parse %q: %v", name, h)
		}
	}
}

func TestJoinSplit(t *testing.T) {
	for _, path := range []string{"a", "a/b", "a/b/c", ""} {
		if got := Join(Split(path)); got != path {
			t.Errorf("joined after split, %q is %q", path, got)
		}
	}
}

// FuzzComparePaths compares with the definition: names compared one after the other, bytewise.
func FuzzComparePaths(f *testing.F) {
	for _, path := range []string{"", "a", "a/b", "a.b", "a!/b", "ab", "a/b/c", "\xff", "a//b", "a/"} {
		f.Add(path, "a/b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		want := slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), strings.Compare)
		if got := ComparePaths(a, b); cmp.Compare(got, 0) != want {
			t.Errorf("ComparePaths(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

// FuzzBeneath compares with the definition: the names of the directory are the first of the path.
func FuzzBeneath(f *testing.F) {
	f.Add("a/b", "a")
	f.Add("ab", "a")
	f.Add("a", "")
	f.Fuzz(func(t *testing.T, path, dir string) {
		names, above := strings.Split(path, "/"), strings.Split(dir, "/")
		want := len(names) > len(above) && slices.Equal(names[:len(above)], above)
		if dir == "" {
			want = path != ""
		}
		if got := Beneath(path, dir); got != want {
			t.Errorf("Beneath(%q, %q) = %v, want %v", path, dir, got, want)
		}
	})
}

func TestNanos(t *testing.T) {
	for _, tt := range []struct {
		year int
		want func(ns int64) bool
	}{
		{1600, func(ns int64) bool { return ns == math.MinInt64 }},
		{1913, func(ns int64) bool { return ns < 0 && ns > math.MinInt64 }},
		{2200, func(ns int64) bool { return ns > 0 && ns < math.MaxInt64 }},
		{2263, func(ns int64) bool { return ns == math.MaxInt64 }},
		{9999, func(ns int64) bool { return ns == math.MaxInt64 }},
	} {
		if got := Nanos(time.Date(tt.year, 5, 1, 0, 0, 0, 1, time.UTC)); !tt.want(got) {
			t.Errorf("%d: %d", tt.year, got)
		}
	}
}
