package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/config/configfile"
	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata/script drive the real program, in processes of its own: messages, exit
// statuses, JSON, kill -9. Each has a work directory with a home and a state directory. Besides
// testscript's own commands there are:
//
//	exits N CMD ARG…    run a command, which must end with status N
//	[!] json K=V…       a line of the last stdout is an object with all these members
//	lastjson K=V…       the last line is
//	mkfile PATH SIZE    make a file with that many bytes, all different from the next file's
//	waitfor GLOB        wait until something matches
//	tree DIR            print every path beneath DIR, and what small files hold
//	encryptconf PASS    make an encrypted configuration of rclone with a remote "disk:"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "snapsync" {
		// Under nohup a process inherits that SIGHUP is ignored, and snapsync respects that. What is handled
		// here is not ignored by what the scripts start.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testscript.Main(m, map[string]func(){"snapsync": main, "tree": treeMain, "encryptconf": encryptMain})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", ".config"))
			env.Setenv("RCLONE_CONFIG", filepath.Join(env.WorkDir, "rclone.conf"))
			env.Setenv("TZ", "UTC")
			// Under -race every process that ends sleeps for a second, so that what it left running may still
			// meet a race. There are many processes here.
			env.Setenv("GORACE", "atexit_sleep_ms=20")
			return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "json": cmdJSON, "lastjson": cmdLastJSON, "mkfile": cmdMkfile, "waitfor": cmdWaitfor,
		},
	})
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// members parses K=V arguments.
func members(ts *testscript.TestScript, args []string) map[string]string {
	want := map[string]string{}
	for _, arg := range args {
		k, v, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("%q is not K=V", arg)
		}
		want[k] = v
	}
	return want
}

func matches(line string, want map[string]string) error {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	var got map[string]any
	if err := dec.Decode(&got); err != nil {
		return fmt.Errorf("not JSON: %q: %w", line, err)
	}
	for k, v := range want {
		if have, ok := got[k]; !ok || fmt.Sprint(have) != v {
			return fmt.Errorf("%s is %v, want %s, in %s", k, have, v, line)
		}
	}
	return nil
}

func stdoutLines(ts *testscript.TestScript) []string {
	return strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\n"), "\n")
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	want, found := members(ts, args), false
	for _, line := range stdoutLines(ts) {
		found = found || matches(line, want) == nil
	}
	if found == neg {
		ts.Fatalf("found: %v; stdout:\n%s", found, ts.ReadFile("stdout"))
	}
}

func cmdLastJSON(ts *testscript.TestScript, neg bool, args []string) {
	lines := stdoutLines(ts)
	if err := matches(lines[len(lines)-1], members(ts, args)); neg || err != nil {
		ts.Fatalf("%v", err)
	}
}

func cmdMkfile(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
	line := path + "\n"
	content := strings.Repeat(line, n/len(line)+1)[:n]
	ts.Check(os.WriteFile(path, []byte(content), 0o666))
}

func cmdWaitfor(ts *testscript.TestScript, _ bool, args []string) {
	for range 3000 { // a minute: the machine may have much else to do
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("nothing matches %s", args[0])
}

// encryptMain is the command `encryptconf`.
func encryptMain() {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	check(config.SetConfigPath(os.Getenv("RCLONE_CONFIG")))
	configfile.Install()
	check(config.SetConfigPassword(os.Args[1]))
	config.FileSetValue("disk", "type", "alias")
	config.FileSetValue("disk", "remote", filepath.Join(os.Getenv("WORK"), "disk"))
	config.SaveConfig()
}

// treeMain is the command `tree`.
func treeMain() {
	root := os.Args[1]
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		switch {
		case info.IsDir():
			fmt.Printf("%s/\n", filepath.ToSlash(rel))
		case info.Mode()&os.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			fmt.Printf("%s -> %s\n", filepath.ToSlash(rel), target)
		case info.Size() > 100:
			fmt.Printf("%s: %d bytes\n", filepath.ToSlash(rel), info.Size())
		default:
			content, _ := os.ReadFile(path)
			fmt.Printf("%s: %q\n", filepath.ToSlash(rel), content)
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
