package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var schema = &Schema{
	Process: []Key{{Name: "bwlimit", Kind: Text}, {Name: "transfers", Kind: Text}, {Name: "rclone", Kind: Texts}},
	Mapping: []Key{
		{Name: "complete-sync", Kind: Bool}, {Name: "exclude", Kind: Texts}, {Name: "retries", Kind: Number},
		{Name: "settle", Kind: Duration}, {Name: "settle-max", Kind: Duration}, {Name: "transfers", Kind: Text},
	},
}

func TestParse(t *testing.T) {
	const text = `
bwlimit = "10M"   # shared
transfers = 8
rclone = "a=1"

[defaults]
exclude = []

[mappings.work]
source = "~/work"
remote = 'nas:work'
complete-sync = true
exclude = [
  "*.tmp",
  '/a "b"/**',
]
retries = 5

[mappings."my.photos"]
source = "/p"
remote = "/q"
settle = "1m30s"

[mappings]
inline = { source = "/i", remote = "/j", transfers = "auto" }
`
	got, err := schema.Parse("c.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Path:     "c.toml",
		Process:  Table{"bwlimit": {"10M", Position{2, 1}}, "transfers": {"8", Position{3, 1}}, "rclone": {[]string{"a=1"}, Position{4, 1}}},
		Defaults: Table{"exclude": {[]string(nil), Position{7, 1}}},
		Mappings: []Mapping{
			{Name: "work", At: Position{9, 11}, Source: "~/work", Remote: "nas:work", Options: Table{
				"source": {"~/work", Position{10, 1}}, "remote": {"nas:work", Position{11, 1}}, "complete-sync": {true, Position{12, 1}},
				"exclude": {[]string{"*.tmp", `/a "b"/**`}, Position{13, 1}}, "retries": {5, Position{17, 1}},
			}},
			{Name: "my.photos", At: Position{19, 11}, Source: "/p", Remote: "/q", Options: Table{
				"source": {"/p", Position{20, 1}}, "remote": {"/q", Position{21, 1}}, "settle": {90 * time.Second, Position{22, 1}},
			}},
			{Name: "inline", At: Position{25, 1}, Source: "/i", Remote: "/j", Options: Table{
				"source": {"/i", Position{25, 12}}, "remote": {"/j", Position{25, 27}}, "transfers": {"auto", Position{25, 42}},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	work := got.Mapping("work")
	for key, want := range map[string]Position{"retries": {17, 1}, "exclude": {13, 1}, "bwlimit": {2, 1}, "settle": {}} {
		if at := got.Find(work, key); at != want {
			t.Errorf("%s was set at %v, want %v", key, at, want)
		}
	}
}

// Each case is one line of a mapping, or a whole file if it has a table.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`complete_sync = true`, `c.toml:4:1: unknown key "complete_sync": did you mean "complete-sync"?`},
		{`setlte = "1s"`, `c.toml:4:1: unknown key "setlte": did you mean "settle"?`},
		{`Retries = 1`, `c.toml:4:1: unknown key "Retries": did you mean "retries"?`},
		{`colour = "red"`, `c.toml:4:1: unknown key "colour": the keys are the flags of 'snapsync run', without the dashes in front`},
		{`bwlimit = "1M"`, `c.toml:4:1: bwlimit is set for the whole process: move it to the top of the file, above the first [table]`},
		{`complete-sync = 1`, `c.toml:4:1: complete-sync: want true or false, without quotes, not the number 1`},
		{`retries = 1.5`, `c.toml:4:1: retries: want a whole number, not the number 1.5`},
		{`retries = "3"`, `c.toml:4:1: retries: want a whole number, not the text "3"`},
		{`settle = "5"`, `c.toml:4:1: settle: want a duration in quotes, such as "500ms", "30s" or "1h", not the text "5"`},
		{`settle = 1979-05-27`, `c.toml:4:1: settle: want a duration in quotes, such as "500ms", "30s" or "1h", not a date`},
		{`transfers = true`, `c.toml:4:1: transfers: want a text in quotes, not true`},
		{`exclude = ["a", 1]`, `c.toml:4:1: exclude: want a list of texts, such as ["a", "b"], not one with the number 1 in it`},
		{`exclude.a = 1`, `c.toml:4:1: exclude: want a list of texts, such as ["a", "b"], not a table`},
		{"[work]\nsource = \"/s\"", `c.toml:1:2: unknown table "work": a mapping is [mappings.work]`},
		{"[mapping.work]\nsource = \"/s\"", `c.toml:1:2: unknown key "mapping": did you mean "mappings"?`},
		{"[mappings.my.work]\nsource = \"/s\"\nremote = \"/r\"\n[mappings.my]\nsource = \"/s\"\nremote = \"/r\"",
			`c.toml:1:14: unknown table "work": a name with a dot is quoted, [mappings."my.work"]`},
		{"[mappings.\"a b\"]", `c.toml:1:11: the name "a b": want up to 64 letters, digits, - _ . and no - or . at the start`},
		{"[mappings.-a]", `c.toml:1:11: the name "-a": want up to 64 letters, digits, - _ . and no - or . at the start`},
		{"[mappings]\nwork = 1", `c.toml:2:1: work: want a table, [mappings.work], not the number 1`},
		{"[[mappings]]\nsource = \"/s\"", `c.toml:1:3: mappings: want a table, [mappings], not a list`},
		{"[defaults]\nsource = \"/s\"", `c.toml:2:1: source cannot have a default: each [mappings.NAME] has its own`},
		{"settle = \"1s\"\n[defaults]", `c.toml:1:1: settle is set for mappings: move it into a [mappings.NAME], or into [defaults] for all of them`},
		{"[mappings.work]", "c.toml:1:11: mapping \"work\" has no source\nc.toml:1:11: mapping \"work\" has no remote"},
		{"[mappings.work]\nsource = \"\"\nremote = 3", `c.toml:1:11: mapping "work" has no source`},
		{"[defaults]\nretries = 1\nretries = 2", `c.toml:3:1: key retries is already defined`},
		{"[defaults]\nretries = ", `c.toml:2:10: expected value, not end of input`},
	} {
		text := c.text
		if !strings.HasPrefix(text, "[") && !strings.Contains(text, "\n") {
			text = "[mappings.work]\nsource = \"/s\"\nremote = \"/r\"\n" + text + "\n"
		}
		_, err := schema.Parse("c.toml", []byte(text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got: %v\nwant: %s", c.text, err, c.want)
		}
	}
}

// Every problem of a file is told, in the order of its lines.
func TestProblemsAll(t *testing.T) {
	_, err := schema.Parse("c.toml", []byte("x = 1\n[mappings.b]\nretries = true\n[defaults]\ny = 1\n"))
	var lines []int
	for _, p := range err.(Problems) {
		lines = append(lines, p.At.Line)
	}
	if diff := cmp.Diff([]int{1, 2, 2, 3, 5}, lines); diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestLoadMissing(t *testing.T) {
	if _, err := schema.Load(filepath.Join(t.TempDir(), "none.toml")); !os.IsNotExist(unwrapped(err)) {
		t.Errorf("%v", err)
	}
}

func unwrapped(err error) error {
	for u := err; u != nil; {
		err = u
		w, ok := u.(interface{ Unwrap() error })
		if !ok {
			break
		}
		u = w.Unwrap()
	}
	return err
}

// What Format writes, Parse reads back, whatever the texts are.
func TestFormatRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 0, 3)
		name := rapid.StringMatching(`[a-zä0-9][a-z.0-9_-]{0,8}`).Draw(t, "name")
		nonEmpty := rapid.String().Filter(func(s string) bool { return s != "" })
		source, remote, exclude := nonEmpty.Draw(t, "source"), nonEmpty.Draw(t, "remote"), words.Draw(t, "exclude")
		text := Format(name, []Setting{
			{"source", source, rapid.StringMatching(`[a-z "'#=\[]*`).Draw(t, "comment")}, {"remote", remote, ""}, {"exclude", exclude, "# x"},
		})
		f, err := schema.Parse("c.toml", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		m := f.Mapping(name)
		if m == nil || m.Source != source || m.Remote != remote || strings.Join(m.Options["exclude"].V.([]string), "\x00") != strings.Join(exclude, "\x00") {
			t.Fatalf("%+v from\n%s", m, text)
		}
	})
}

func TestExtend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "config.toml")
	added := Format("new", []Setting{{"source", "/s", "Where from."}, {"remote", "/r", ""}})
	data, f, err := schema.Extend(path, added)
	if err != nil || f.Mapping("new") == nil {
		t.Fatal(f, err)
	}
	if err := Write(path, data); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}

	const old = "# mine\nbwlimit = \"1M\" # slow\n\n[mappings.old] # here\nsource = \"/a\"\nremote = \"/b\""
	link := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(old), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	data, _, err = schema.Extend(link, added)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(link, data); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := old + "\n\n" + added; err != nil || string(got) != want {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v now", info.Mode())
	}
	if _, _, err := schema.Extend(path, added); err == nil {
		t.Error("a second mapping of the same name was taken")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".config-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}
