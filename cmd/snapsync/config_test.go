package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// configApp is an app with the flags of an empty command line.
func configApp(t *testing.T) *world {
	t.Helper()
	c := &cli{}
	parser, err := newParser(c, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	p := &console.Printer{Out: io.Discard, Err: io.Discard}
	return &world{Printer: p, Resolver: &settings.Resolver{Globals: &c.Globals, Ctx: t.Context(), Model: parser.Model, Given: map[string]settings.Origin{}, Printer: p}}
}

// notKeys are the flags of run that the config file cannot set, on purpose.
var notKeys = []string{
	"approve", "dry-run", "help", "json", "mapping", "mappings", "once", "progress", "quiet", "remote", "verbose", "version",
}

func TestEveryFlagIsAKey(t *testing.T) {
	a := configApp(t)
	s := a.Schema()
	known := map[string]bool{}
	for _, k := range slices.Concat(s.Process, s.Mapping) {
		known[k.Name] = true
	}
	var without []string
	for _, f := range slices.Concat(a.Model.Flags, a.RunFlags()) {
		if !known[f.Name] {
			without = append(without, f.Name)
		}
	}
	slices.Sort(without)
	if diff := cmp.Diff(notKeys, without); diff != "" {
		t.Errorf("flags without a key; if that is meant, say so here (-want +got):\n%s", diff)
	}
}

// sample is a value of a kind that no flag has by default, as TOML and as Go has it.
func sample(k config.Key) (text string, v any) {
	switch {
	case k.Name == "transfers":
		return "3", "3"
	case k.Name == "max-delete":
		return `"7%"`, "7%"
	case k.Name == "backup-dir", k.Name == "state-dir":
		return `"/some/where"`, "/some/where"
	case strings.HasSuffix(k.Name, "-from") || k.Name == "files-from-raw":
		return `["/f"]`, []string{"/f"}
	case k.Kind == config.Bool:
		return "true", true
	case k.Kind == config.Texts:
		return `["x", "y"]`, []string{"x", "y"}
	case k.Kind == config.Number:
		return "7", 7
	case k.Kind == config.Duration:
		return `"7s"`, 7 * time.Second
	case k.Name == "config" || k.Name == "log-file":
		return `"/f"`, "/f"
	}
	return `"x"`, "x"
}

// Each key arrives in the field of its flag, from the mapping's table as from [defaults].
func TestKeysApply(t *testing.T) {
	a := configApp(t)
	for _, key := range a.Schema().Mapping {
		text, want := sample(key)
		for _, form := range []string{"[mappings.m]\nsource='/s'\nremote='/r'\n%s = %s\n", "[defaults]\n%s = %s\n[mappings.m]\nsource='/s'\nremote='/r'\n"} {
			file, err := a.Schema().Parse("c.toml", fmt.Appendf(nil, form, key.Name, text))
			if err != nil {
				t.Fatal(err)
			}
			specs, err := a.SpecsOf(file, &settings.Spec{})
			if err != nil {
				t.Fatal(err)
			}
			if f := settings.FlagNamed(specs[0].Flags(), key.Name); !reflect.DeepEqual(f.Target.Interface(), want) {
				t.Errorf("%s = %s became %v", key.Name, text, f.Target.Interface())
			}
			again, err := a.SpecsOf(file, &settings.Spec{})
			if err != nil || !reflect.DeepEqual(specs, again) {
				t.Errorf("%s: two readings of one file differ: a running process would restart the mapping", key.Name)
			}
		}
	}
	for _, key := range a.Schema().Process {
		text, want := sample(key)
		file, err := a.Schema().Parse("c.toml", fmt.Appendf(nil, "%s = %s\n", key.Name, text))
		if err != nil {
			t.Fatal(err)
		}
		f := settings.FlagNamed(a.Model.Flags, key.Name)
		if f == nil {
			f = settings.FlagNamed(a.RunFlags(), key.Name)
		}
		if problems := settings.Apply(file, []*kong.Flag{f}, file.Process); problems != nil || !reflect.DeepEqual(f.Target.Interface(), want) {
			t.Errorf("%s = %s became %v: %v", key.Name, text, f.Target.Interface(), problems)
		}
	}
}

// The tables of docs/config.md are made from the flags. UPDATE_DOCS=1 rewrites them.
func TestConfigDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "config.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := configApp(t).Schema()
	want := string(doc)
	for name, keys := range map[string][]config.Key{"process": s.Process, "mapping": s.Mapping} {
		begin, end := "<!-- keys of the "+name+": made by go test -->\n", "<!-- end -->"
		i := strings.Index(want, begin)
		if i < 0 {
			t.Fatalf("%s has no line %q", path, begin)
		}
		i += len(begin)
		j := i + strings.Index(want[i:], end)
		want = want[:i] + keyTable(keys) + want[j:]
	}
	if want == string(doc) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what the flags say: UPDATE_DOCS=1 go test -tags slim -run TestConfigDocs ./cmd/snapsync\n%s", path, cmp.Diff(string(doc), want))
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func keyTable(keys []config.Key) string {
	var b strings.Builder
	b.WriteString("| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range keys {
		value := ""
		if k.Default != "" {
			value = "`" + k.Default + "`"
		}
		help := strings.NewReplacer("|", `\|`, "*", `\*`).Replace(k.Help)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` |\n", k.Name, k.Kind, value, help, strings.ReplaceAll(example(k), "|", `\|`))
	}
	return b.String()
}

// examples are for keys whose kind says too little.
var examples = map[string]any{
	"state-dir": "~/.snapsync", "config": "~/rclone.conf", "password-command": "pass rclone", "rclone": []string{"low-level-retries=3"},
	"log-file": "/var/log/snapsync.log", "log-level": "INFO", "log-file-max-size": "10M", "log-file-max-backups": 5, "log-file-max-age": "30d",
	"transfers": 8, "bwlimit": "08:00,512k 19:00,off", "backup-dir": "nas:work-old", "suffix": ".old", "max-delete": "10%", "retries": 5,
	"include": []string{"*.odt"}, "include-from": []string{"include.txt"}, "exclude": []string{"*.tmp", "/cache/**"},
	"exclude-from": []string{"exclude.txt"}, "filter": []string{"+ /keep/**", "- *.iso"}, "filter-from": []string{"rules.txt"},
	"files-from": []string{"files.txt"}, "files-from-raw": []string{"files.txt"}, "exclude-if-present": []string{".nobackup"},
	"min-size": "1k", "max-size": "4G", "min-age": "1h", "max-age": "1y", "settle": "2s", "settle-max": "1m", "delete-delay": "10s", "interval": "6h",
	"metrics-addr": "localhost:9465", "max-transfers": 64,
}

func example(k config.Key) string {
	if v, ok := examples[k.Name]; ok {
		return config.Line(k.Name, v)
	}
	if k.Kind == config.Bool {
		return config.Line(k.Name, true)
	}
	text, _ := sample(k)
	return k.Name + " = " + text
}

// Every example of the documentation is a file that can be read.
func TestExamplesParse(t *testing.T) {
	a := configApp(t)
	s := a.Schema()
	for i, k := range slices.Concat(s.Process, s.Mapping) {
		text := example(k) + "\n"
		if i >= len(s.Process) {
			text = "[defaults]\n" + text + "[mappings.m]\nsource = '/s'\nremote = 'nas:r'\n"
		}
		file, err := s.Parse("c.toml", []byte(text))
		if err == nil {
			_, err = a.SpecsOf(file, &settings.Spec{})
		}
		if err == nil {
			err = checkProcess(file)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
