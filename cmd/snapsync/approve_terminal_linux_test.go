package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestApproveAsksAPerson: at a terminal what would go is shown first, and nothing is let through without a yes; --yes asks nothing.
func TestApproveAsksAPerson(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "snapsync")
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, program)
	}
	for _, name := range []string{"f1", "f2", "f3"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, "src"), 0o700), os.WriteFile(filepath.Join(dir, "src", name), nil, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "RCLONE_CONFIG=" + filepath.Join(dir, "rclone.conf"), "TERM=dumb", "GORACE=atexit_sleep_ms=20"}
		return cmd
	}
	run := func(want int) {
		t.Helper()
		cmd := command("run", "--once", "src", "--remote", "dst", "--complete-sync", "--max-delete", "0")
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != want {
			t.Fatalf("the run ends with %d:\n%s", cmd.ProcessState.ExitCode(), out)
		}
	}
	// approve types a line once it is asked, and returns all that was on the screen.
	approve := func(want int, typed string, args ...string) (screen []byte) {
		t.Helper()
		terminal, side := openTerminal(t)
		defer terminal.Close()
		cmd := command(append([]string{"approve", "src"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		err := cmd.Start()
		side.Close()
		if err != nil {
			t.Fatal(err)
		}
		for buf := make([]byte, 4096); ; {
			n, err := terminal.Read(buf)
			if err != nil {
				break // nobody has its other side any more
			}
			screen = append(screen, buf[:n]...)
			if typed != "" && bytes.HasSuffix(screen, []byte("> ")) {
				if _, err := terminal.WriteString(typed); err != nil {
					t.Fatal(err)
				}
				typed = ""
			}
		}
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != want {
			t.Fatalf("approve ends with %d, want %d:\n%s", cmd.ProcessState.ExitCode(), want, screen)
		}
		return screen
	}
	asked := func(screen []byte) bool { return bytes.Contains(screen, []byte("Delete 1 file on the remote?")) }
	run(0)
	for _, c := range []struct {
		file, typed  string
		args         []string
		asks, passes bool
	}{
		{"f1", "\n", nil, true, false},
		{"", "yes\n", nil, true, true},
		{"f2", "", []string{"--show"}, false, false},
		{"", "", []string{"--yes"}, false, true},
	} {
		if c.file != "" {
			if err := os.Remove(filepath.Join(dir, "src", c.file)); err != nil {
				t.Fatal(err)
			}
			run(21)
		}
		status, after := 0, 21
		if c.asks && !c.passes {
			status = 21
		}
		if c.passes {
			after = 0
		}
		screen := approve(status, c.typed, c.args...)
		if asked(screen) != c.asks || !bytes.Contains(screen, []byte("  f")) {
			t.Errorf("%q: asked %v, want %v, after what would go:\n%s", c.args, asked(screen), c.asks, screen)
		}
		run(after)
	}
}
