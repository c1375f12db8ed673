package rclone

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fshttp"

	"github.com/snapsync/snapsync/backends/rclone/answers"
)

// sample is a value that an option does not have by default.
func sample(t *testing.T, name string) string {
	t.Helper()
	switch name {
	case "header", "header_upload":
		return "X-One: 1,X-Two: 2"
	case "metadata_set":
		return "colour=red"
	case "disable":
		return "copy"
	case "bind":
		return "127.0.0.1"
	case "dump":
		return "headers"
	case "default_time":
		return "2001-02-03T04:05:06Z"
	}
	opt := globalOption(name)
	if opt == nil {
		t.Fatalf("%s: rclone has no such option, and nobody else reads it", name)
	}
	switch v := opt.Default.(type) {
	case bool:
		return fmt.Sprint(!v)
	case time.Duration, fs.Duration:
		return "7s"
	}
	return "7"
}

// Each option that is passed on arrives in rclone's configuration, as one of --rclone; and what is refused, or has a flag, does not.
func TestPassedOptionsArrive(t *testing.T) {
	plain, err := Context(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range answers.Names() {
		o, _ := answers.Of(name)
		ctx, err := Context(t.Context(), Options{Options: map[string]string{name: "true"}})
		switch {
		case o.Refused() || o.Class == answers.Ours:
			if err == nil || !strings.Contains(err.Error(), o.Advice()) {
				t.Errorf("--rclone %s=true: got %v, want %q", name, err, o.Advice())
			}
			continue
		case o.Class == answers.Always:
			if err != nil || !reflect.DeepEqual(fs.GetConfig(ctx), fs.GetConfig(plain)) {
				t.Errorf("--rclone %s=true, which is always so: %v, or it changes something", name, err)
			}
			continue
		}
		if ctx, err = Context(t.Context(), Options{Options: map[string]string{name: sample(t, name)}}); err != nil {
			t.Errorf("--rclone %s=%s: %v", name, sample(t, name), err)
		} else if name != "ask_password" && reflect.DeepEqual(fs.GetConfig(ctx), fs.GetConfig(plain)) {
			t.Errorf("--rclone %s=%s changes nothing", name, sample(t, name))
		}
	}
}

// An option that is passed on is one that code of rclone's reads which is used here. What only its sync, its copy and its
// commands read would be taken and ignored.
func TestPassedOptionsAreRead(t *testing.T) {
	module := moduleDir(t)
	var code strings.Builder
	for _, dir := range []string{"fs", "fs/fshttp", "fs/cache", "fs/config", "fs/accounting", "lib/pool", "lib/kv", "backend/*"} {
		files, err := filepath.Glob(filepath.Join(module, dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", dir, err, len(files))
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") && file != filepath.Join(module, "fs", "config.go") {
				code.Write(text)
			}
		}
	}
	readHere := []string{"inplace", "suffix_keep_extension"} // by the Connections, and by a function for names
	config := reflect.TypeFor[fs.ConfigInfo]()
	for i := range config.NumField() {
		name, field := config.Field(i).Tag.Get("config"), config.Field(i).Name
		o, known := answers.Of(name)
		if !known || o.Class != answers.Passed || slices.Contains(readHere, name) {
			continue
		}
		if !regexp.MustCompile(`\b(ci|config|GetConfig\([a-zA-Z.()]*\))\.` + field + `\b`).MatchString(code.String()) {
			t.Errorf("%s: nothing that is used here reads %s", name, field)
		}
	}
}

// moduleDir is where the source of rclone is.
func moduleDir(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "github.com/rclone/rclone ")
	if !found {
		t.Fatal("go.mod does not name rclone")
	}
	version, _, _ := strings.Cut(rest, "\n")
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		gopath := os.Getenv("GOPATH")
		if gopath == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			gopath = filepath.Join(home, "go")
		}
		cache = filepath.Join(gopath, "pkg", "mod")
	}
	return filepath.Join(cache, "github.com", "rclone", "rclone@"+strings.TrimSpace(version))
}

// What is said of requests is what a server gets.
func TestPassedOptionsReachAServer(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer server.Close()
	ctx, err := Context(t.Context(), Options{Options: map[string]string{"user-agent": "someone/1", "header": `X-One: 1,"X-Two: 2, 3"`}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := fshttp.NewClient(ctx).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	h := <-got
	if diff := cmp.Diff([]string{"someone/1", "1", "2, 3"}, []string{h.Get("User-Agent"), h.Get("X-One"), h.Get("X-Two")}); diff != "" {
		t.Errorf("the server got (-want +got):\n%s", diff)
	}
}

// What belongs to the process is set when rclone is started: here its limit of transactions.
func TestInitTakesOptions(t *testing.T) {
	out := initIn(t, t.TempDir(), "SNAPSYNC_TEST_OPTION=tpslimit=7", "RCLONE_CONFIG=")
	if !strings.Contains(out, "tpslimit=7 ") || !strings.Contains(out, "err=<nil>") {
		t.Error(out)
	}
	if out := initIn(t, t.TempDir(), "RCLONE_TPSLIMIT=5", "RCLONE_CONFIG="); !strings.Contains(out, "tpslimit=5 ") {
		t.Error(out)
	}
}

func TestCheckEnvironment(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"RCLONE_IMMUTABLE", "true", "--backup-dir"},
		{"RCLONE_IMMUTABLE", "false", ""},
		{"RCLONE_INTERACTIVE", "1", "snapsync plan"},
		{"RCLONE_COMPARE_DEST", "x", "not here"},
		{"RCLONE_COMPARE_DEST", "", ""},
		{"RCLONE_MAX_DEPTH", "-1", ""},
		{"RCLONE_MAX_DEPTH", "2", "--exclude"},
		{"RCLONE_MAX_TRANSFER", "off", ""},
		{"RCLONE_RC", "true", "docs/control.md"},
		{"RCLONE_RC_ADDR", ":1", "docs/control.md"},
		{"RCLONE_MULTI_THREAD_STREAMS", "9", "not here"},
		{"RCLONE_MULTI_THREAD_STREAMS", "4", ""},
		{"RCLONE_STATS", "1m", "-P"},
		{"RCLONE_HASH_FILTER", "1/2", "not here"},
		{"RCLONE_HEADER", "nonsense", "RCLONE_HEADER"},
		{"RCLONE_HEADER", "X: 1", ""},
		// Obeyed by a flag, by rclone, or so in any case.
		{"RCLONE_DRY_RUN", "true", ""}, {"RCLONE_TIMEOUT", "1m", ""}, {"RCLONE_TRACK_RENAMES", "true", ""},
		// Remotes, options of backends, other commands of rclone's, other programs.
		{"RCLONE_CONFIG_RC_TYPE", "local", ""}, {"RCLONE_CONFIG_PASS", "x", ""}, {"RCLONE_S3_CHUNK_SIZE", "7Mi", ""},
		{"RCLONE_VFS_CACHE_MODE", "full", ""}, {"RCLONES_IMMUTABLE", "true", ""},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			err := CheckEnvironment()
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.name)) {
				t.Errorf("got %v, want something about %q", err, tt.want)
			}
		})
	}
}

// What only rclone's command line reads is read from its variables here, and options win.
func TestUnregisteredVariables(t *testing.T) {
	t.Setenv("RCLONE_METADATA_SET", "Colour=red,shape=round")
	for value, want := range map[string]fs.Metadata{"": {"colour": "red", "shape": "round"}, "size=7": {"size": "7"}} {
		options := map[string]string{"metadata-set": value}
		if value == "" {
			options = nil
		}
		ctx, err := Context(context.Background(), Options{Options: options})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, fs.GetConfig(ctx).MetadataSet); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func TestParseList(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "a": {"a"}, "a,b": {"a", "b"}, `"a,b",c`: {"a,b", "c"}, `"say ""x""",y`: {`say "x"`, "y"}, "a, b ": {"a", " b "},
	} {
		if got, err := ParseList(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	for _, wrong := range []string{`"a`, "a\nb", `a"b`} {
		if got, err := ParseList(wrong); err == nil {
			t.Errorf("%q: got %q", wrong, got)
		}
	}
}

func TestAdvice(t *testing.T) {
	for flag, want := range map[string]string{
		"--fast-list": "leave it out", "-u": "--backup-dir", "-i": "snapsync plan", "--timeout": "--rclone timeout=VALUE", "--use-cookies": "--rclone use-cookies",
		"--s3-chunk-size": "--rclone s3-chunk-size=VALUE", "--s3-no-check-bucket": "--rclone s3-no-check-bucket;", "stats": "-P",
	} {
		if got := Advice(flag); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want something about %q", flag, got, want)
		}
	}
	for _, flag := range []string{"", "-", "--", "--no-such", "-z", "--s3"} {
		if got := Advice(flag); got != "" {
			t.Errorf("%q: got %q", flag, got)
		}
	}
}
