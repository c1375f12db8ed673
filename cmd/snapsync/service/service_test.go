package service

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

var updateDefinitions = flag.Bool("update", false, "rewrite the definitions in testdata")

// testJob has a bit of everything that needs quoting.
func testJob() *Job {
	return &Job{
		User:    &user.User{Username: "me", Uid: "1000", HomeDir: "/home/me"},
		Program: "/opt/snap sync/bin/snapsync",
		Args: []string{"run", "--mappings=/home/me/it's 100% \"mine\"\\.toml", "--password-command=pass show $HOME;id",
			"--state-dir=/home/me/\xff\n", "--log-file=/home/me/.local/state/snapsync/snapsync.log"},
		Env:     []string{"RCLONE_CONFIG=/home/me/my rclone.conf", "XDG_STATE_HOME=/var/$x&<y>"},
		EnvFile: "/home/me/100%/environment",
		Log:     "/home/me/.local/state/snapsync/snapsync.log",
	}
}

// asUTF8 leaves out what a property list cannot hold.
func asUTF8(j *Job) *Job {
	j.Args = slices.DeleteFunc(j.Args, func(s string) bool { return !utf8.ValidString(s) })
	return j
}

func TestServiceDefinitions(t *testing.T) {
	root := testJob()
	root.User = &user.User{Username: "root", Uid: "0", HomeDir: "/root"}
	for name, text := range map[string]func() (string, error){
		"user.service":        func() (string, error) { return (&systemd{}).Text(testJob()) },
		"system.service":      func() (string, error) { return (&systemd{system: true}).Text(testJob()) },
		"system-root.service": func() (string, error) { return (&systemd{system: true}).Text(root) },
		"agent.plist":         func() (string, error) { return (&launchd{home: "/Users/me"}).Text(asUTF8(testJob())) },
		"daemon.plist":        func() (string, error) { return (&launchd{system: true}).Text(asUTF8(testJob())) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := text()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name)
			if *updateDefinitions {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// systemd itself has nothing to complain about: no unknown setting, no bad quoting, no missing program.
func TestUnitsAreValid(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze: not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, system := range []bool{false, true} {
		j := testJob()
		j.Program = self
		j.User = &user.User{Username: "root", Uid: "0"}
		text, err := (&systemd{system}).Text(j)
		if err != nil {
			t.Fatal(err)
		}
		scope := "--user"
		if system {
			scope = "--system"
		}
		if said := verifyUnit(t, scope, text); said != "" {
			t.Errorf("%s: systemd says:\n%s", scope, said)
		}
		if said := verifyUnit(t, scope, strings.Replace(text, "[Service]\n", "[Service]\nNonsense=1\n", 1)); !strings.Contains(said, "Nonsense") {
			t.Errorf("%s: systemd-analyze does not look: %q", scope, said)
		}
	}
}

// verifyUnit returns what systemd-analyze says about a unit, and only about that.
func verifyUnit(t *testing.T, scope, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), unitName)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-analyze", scope, "--man=no", "verify", path)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var about []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, unitName) {
			about = append(about, line)
		}
	}
	return strings.Join(about, "")
}

// A plist is XML that gives back the words that went in.
func TestPlistHoldsTheCommand(t *testing.T) {
	j := asUTF8(testJob())
	if _, err := (&launchd{}).Text(testJob()); exit.Of(err).Status != exit.StatusUsage {
		t.Errorf("a word that XML cannot hold: %v", err)
	}
	text, err := (&launchd{home: "/Users/me"}).Text(j)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for dec := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "array" {
			var words struct {
				String []string `xml:"string"`
			}
			if err := dec.DecodeElement(&words, &start); err != nil {
				t.Fatal(err)
			}
			got = words.String
		}
	}
	if want := append([]string{j.Program}, j.Args...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A crash must not look like status 2, after which the unit has nothing started again.
func TestCrashIsNoUsageError(t *testing.T) {
	if os.Getenv("CRASH") != "" {
		go panic("of this test")
		select {}
	}
	if runtime.GOOS == "windows" {
		t.Skip("windows: no signals")
	}
	text, err := (&systemd{}).Text(testJob())
	if err != nil {
		t.Fatal(err)
	}
	env := regexp.MustCompile(`(?m)^Environment=(GOTRACEBACK=\w+)$`).FindStringSubmatch(text)
	if env == nil {
		t.Fatal("the unit does not say how to crash")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -c 0; exec "$0" -test.run=TestCrashIsNoUsageError`, self)
	cmd.Env = append(os.Environ(), "CRASH=1", env[1])
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.Exited() || !strings.Contains(string(said), "of this test") {
		t.Errorf("ended with %v:\n%s", err, said)
	}
}

func TestUnitQuote(t *testing.T) {
	for in, want := range map[string]string{
		"plain-word/1.2": "plain-word/1.2",
		"":               `""`,
		"two words":      `"two words"`,
		"it's":           `"it's"`,
		`a"b\c`:          `"a\"b\\c"`,
		"100%":           "100%%",
		"line\nbreak":    `"line\x0abreak"`,
		"\xff":           `"\xff"`,
		"größe":          "größe",
		"a;b":            `"a;b"`,
	} {
		if got := unitQuote(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestProgramOfGoRunIsPassing(t *testing.T) {
	for program, want := range map[string]bool{"/tmp/go-build123/b001/exe/snapsync": true, "/usr/local/bin/snapsync": false} {
		if got := (&Job{Program: program}).Passing(); got != want {
			t.Errorf("%s: got %v", program, got)
		}
	}
}

func TestWriteDefinition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "below", "unit")
	for _, step := range []struct {
		text    string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		changed, err := writeDefinition(path, step.text)
		if err != nil || changed != step.changed {
			t.Errorf("%s: changed %v, %v", step.text, changed, err)
		}
		if got, _ := os.ReadFile(path); string(got) != step.text {
			t.Errorf("%s: holds %q", step.text, got)
		}
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("left %q", left)
	}
}

// launchd forgets a service some time after launchctl has returned, and until then does not load it again.
func TestLaunchdIsWaitedFor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: no shell")
	}
	dir := t.TempDir()
	const launchctl = `#!/bin/sh
echo "$@" >>asked
case $1 in
print) [ -e loaded ] ;;
bootstrap) ! [ -e loaded ] && touch loaded ;;
bootout) { sleep 0.5; rm loaded; } >/dev/null 2>&1 & echo "Boot-out failed: 36: Operation now in progress" >&2; exit 36 ;;
esac`
	if err := os.WriteFile(filepath.Join(dir, "launchctl"), []byte(launchctl), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(dir)
	l := &launchd{home: dir}
	j := asUTF8(testJob())
	j.Log = filepath.Join(dir, "state", "snapsync", "snapsync.log")
	install := func(ctx context.Context) error { _, err := l.Install(ctx, j); return err }
	uninstall := func(ctx context.Context) error { _, err := l.Uninstall(ctx); return err }
	for _, step := range []func(context.Context) error{install, l.Start, l.Stop, l.Start, l.Stop, l.Stop, l.Start, uninstall, uninstall} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "snapsync", "snapsync.stderr.log")); err != nil {
		t.Error(err) // without which launchd starts nothing
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "Library", "LaunchAgents", "*")); len(left) != 0 {
		t.Errorf("left %q", left)
	}
	asked, _ := os.ReadFile("asked")
	if n := strings.Count(string(asked), "bootstrap"); n != 3 {
		t.Errorf("loaded %d times:\n%s", n, asked)
	}
}

func TestLaunchdStatus(t *testing.T) {
	for out, want := range map[string]Status{
		"gui/501/io.github.snapsync = {\n\tstate = running\n\tpid = 123\n\tspawn type = daemon\n\tjetsam = {\n\t\tstate = other\n\t}\n}\n": {State: "running", PID: 123},
		"x = {\n\tstate = not running\n\tlast exit code = 2\n}\n":                                                                          {State: "failed", Text: "exit status 2"},
		"x = {\n\tstate = not running\n\tlast exit code = (never exited)\n}\n":                                                             {State: "stopped"},
	} {
		got := Status{State: "stopped"}
		got.fillLaunchd(out)
		if got != want {
			t.Errorf("%q: got %+v, want %+v", out, got, want)
		}
	}
}
