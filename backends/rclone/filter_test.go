package rclone

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFilter(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name   string
		o      FilterOptions
		files  string // those of the fixed list that belong
		pruned string // directories that are not read
	}{
		{"exclude", FilterOptions{Exclude: []string{"*.tmp", "build/**"}}, "a.txt A.TXT d/b.txt", "build"},
		{"include", FilterOptions{Include: []string{"*.txt"}}, "a.txt d/b.txt build/o.txt", ""},
		{"case", FilterOptions{Include: []string{"*.txt"}, IgnoreCase: true}, "a.txt A.TXT d/b.txt build/o.txt", ""},
		{"rules", FilterOptions{Filter: []string{"- /d/", "+ *.tmp", "- *"}}, "d.tmp", "d"},
		{"sizes", FilterOptions{MinSize: "2B", MaxSize: "4B"}, "A.TXT d/b.txt d.tmp", ""},
		{"odd", FilterOptions{Exclude: []string{"/d/**", "␁*"}}, "a.txt A.TXT d.tmp build/o.txt", "d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := NewFilter(tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got, pruned []string
			for i, path := range []string{"a.txt", "A.TXT", "d/b.txt", "d.tmp", "build/o.txt"} {
				if f.File(path, int64(i+1), now) {
					got = append(got, path)
				}
			}
			for _, dir := range []string{"d", "build"} {
				if !f.Dir(dir) {
					pruned = append(pruned, dir)
				}
			}
			if !slices.Equal(got, strings.Fields(tt.files)) || !slices.Equal(pruned, strings.Fields(tt.pruned)) {
				t.Errorf("files %q, pruned %q", got, pruned)
			}
			if f.File("\x01x", 3, now) != (tt.name != "odd" && tt.o.Include == nil && len(tt.o.Filter) == 0) {
				t.Error("a control character is not matched as rclone shows it")
			}
		})
	}
}

// A list that an editor has put a byte order mark before, or carriage returns into, is the list that one sees.
func TestFilterFiles(t *testing.T) {
	file := func(text string) []string {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{path}
	}
	for _, tt := range []struct {
		name string
		o    FilterOptions
		want string // of a b c
	}{
		{"exclude, as written", FilterOptions{ExcludeFrom: file("a\n# b\n\n  c \n")}, "b"},
		{"exclude", FilterOptions{ExcludeFrom: file("\xef\xbb\xbfa\r\n; b\r\n")}, "b c"},
		{"exclude with others", FilterOptions{Exclude: []string{"b"}, ExcludeFrom: file("\xef\xbb\xbfa")}, "c"},
		{"include", FilterOptions{IncludeFrom: file("\xef\xbb\xbfa\r\nb\r\n")}, "a b"},
		{"include nothing", FilterOptions{IncludeFrom: file("\xef\xbb\xbf\r\n")}, ""},
		{"include nothing of two", FilterOptions{Include: []string{"c"}, IncludeFrom: file("")}, "c"},
		{"filter", FilterOptions{FilterFrom: file("\xef\xbb\xbf- a\r\n+ *\r\n")}, "b c"},
		{"filter begun anew", FilterOptions{Filter: []string{"- a"}, FilterFrom: file("!\n- b\n")}, "a c"},
		{"files", FilterOptions{FilesFrom: file("\xef\xbb\xbfa\r\n\r\nc\r\n")}, "a c"},
		{"no files", FilterOptions{FilesFrom: file("")}, ""},
		{"raw files", FilterOptions{FilesFromRaw: file("\xef\xbb\xbfa\r\nb\r\n")}, "a b"},
		{"both kinds of files", FilterOptions{FilesFrom: file("a\n"), FilesFromRaw: file("c\n")}, "a c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := NewFilter(tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, path := range []string{"a", "b", "c"} {
				if f.File(path, 1, time.Now()) {
					got = append(got, path)
				}
			}
			if !slices.Equal(got, strings.Fields(tt.want)) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
		})
	}
	for _, text := range []string{"\xff\xfea\x00", "\xfe\xff\x00a"} {
		if _, err := NewFilter(FilterOptions{ExcludeFrom: file(text)}); err == nil || !strings.Contains(err.Error(), "UTF-16") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := NewFilter(FilterOptions{FilesFrom: file("a"), Exclude: []string{"b"}}); err == nil {
		t.Error("rclone takes no rules beside a list of files")
	}
}

func TestFilterAge(t *testing.T) {
	f, err := NewFilter(FilterOptions{MaxAge: "2d", MinAge: "1h"})
	if err != nil {
		t.Fatal(err)
	}
	for age, want := range map[time.Duration]bool{time.Minute: false, 3 * time.Hour: true, 72 * time.Hour: false} {
		if got := f.File("x", 1, time.Now().Add(-age)); got != want {
			t.Errorf("a file %v old: %v", age, got)
		}
	}
}

// TestFilterAgeGoesOn looks at files as time passes: an age is counted from then, a date stays one, and who wants to know is told when
// a file will be old enough.
func TestFilterAgeGoesOn(t *testing.T) {
	start := time.Now()
	day := start.AddDate(0, 0, -10).Format(time.DateOnly)
	for _, c := range []struct {
		options FilterOptions
		mtime   time.Time
		want    map[time.Duration]bool // by how long after the start
		told    bool
	}{
		{FilterOptions{MinAge: "1h"}, start, map[time.Duration]bool{0: false, 59 * time.Minute: false, 61 * time.Minute: true}, true},
		{FilterOptions{MaxAge: "1h"}, start, map[time.Duration]bool{0: true, 59 * time.Minute: true, 61 * time.Minute: false}, false},
		{FilterOptions{MinAge: "1h", Exclude: []string{"x"}}, start, map[time.Duration]bool{0: false, 2 * time.Hour: false}, false},
		{FilterOptions{MaxAge: day}, start.AddDate(0, 0, -8), map[time.Duration]bool{0: true, 10 * 24 * time.Hour: true}, false},
		{FilterOptions{MinAge: day}, start.AddDate(0, 0, -8), map[time.Duration]bool{0: false, 10 * 24 * time.Hour: false}, false},
		{FilterOptions{MinAge: "off", MaxAge: "off", MinSize: "1B"}, start, map[time.Duration]bool{0: true}, false},
	} {
		f, err := NewFilter(c.options)
		if err != nil {
			t.Fatal(err)
		}
		r := f.(*rules)
		var told time.Time
		r.TellYoung(func(_ string, at time.Time) { told = at })
		for after, want := range c.want {
			r.now = func() time.Time { return start.Add(after) }
			if got := f.File("x", 1, c.mtime); got != want {
				t.Errorf("%+v after %v: %v", c.options, after, got)
			}
		}
		if c.told != !told.IsZero() || c.told && !told.Equal(c.mtime.Add(time.Hour)) {
			t.Errorf("%+v: told of %v", c.options, told)
		}
	}
}

func TestFilterNone(t *testing.T) {
	if f, err := NewFilter(FilterOptions{}); f != nil || err != nil {
		t.Errorf("got %v, %v", f, err)
	}
	f, err := NewFilter(FilterOptions{ExcludeIfPresent: []string{".ignore"}})
	if err != nil || !slices.Equal(f.Markers(), []string{".ignore"}) || !f.Dir("d") || !f.File("d/x", 1, time.Now()) {
		t.Errorf("got %v, %v", f, err)
	}
	for _, o := range []FilterOptions{
		{MinSize: "many"}, {MaxAge: "never ever"}, {Filter: []string{"* wrong"}},
		{ExcludeFrom: []string{"/no/such/file"}}, {Include: []string{"[a"}},
	} {
		if f, err := NewFilter(o); err == nil {
			t.Errorf("%+v gave %v", o, f)
		}
	}
}
