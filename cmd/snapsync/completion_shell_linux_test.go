package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestCompletionInShells types into real shells on a terminal, with tabs, and looks at the words that the command
// then gets. The directory has "Some Dir", "pri$e" and "some notes.txt", rclone has "nas:", "My Documents:" and
// "größe:". zsh takes the slash from a directory that is the end of a word.
func TestCompletionInShells(t *testing.T) {
	for _, shell := range []struct {
		name, startup, script string
		command               []string
	}{
		{"bash", ".bashrc", "PS1='%s'; source <(../real/snapsync completion bash)\n", []string{"--rcfile", ".bashrc", "-i"}},
		{"zsh", ".zshrc", "PS1='%s'; autoload -Uz compinit; compinit -u -D; source <(../real/snapsync completion zsh)\n", []string{"-i"}},
		{"fish", ".config/fish/config.fish", "set fish_autosuggestion_enabled 0; function fish_prompt; echo -n '%s'; end; ../real/snapsync completion fish | source\n", []string{"-i"}},
	} {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell.name)
			if err != nil {
				t.Skipf("not run: no %[1]s here: apt-get install %[1]s", shell.name)
			}
			home := shellHome(t, shell.startup, fmt.Sprintf(shell.script, prompt))
			s := startShell(t, home, path, shell.command...)
			for _, row := range []struct{ typed, want string }{ // want: words, with | in between
				{"versi\t", "version"},
				{"-v servi\tinsta\t --pri\t", "-v|service|install|--print"},
				{"run -m do\t", "run|-m|docs"},
				{"run --mapping=do\t", "run|--mapping=docs"},
				{"run -m \"do\t", "run|-m|docs"},
				{"run -m fotos\t --onc\t", "run|-m|fotos-früher|--once"},
				{"plan --remote na\tdir", "plan|--remote|nas:dir"},
				{"plan --remote=na\tdir", "plan|--remote=nas:dir"},
				{"plan --remote My\t", "plan|--remote|My Documents:"},
				{"plan --remote=My\\ D\tx", "plan|--remote=My Documents:x"},
				{"plan --remote gr\t", "plan|--remote|größe:"},
				{"plan --remote nas: Som\t", "plan|--remote|nas:|Some Dir"},
				{"plan --remote Som\t", "plan|--remote|Some Dir"},
				{"plan pri\t", "plan|pri$e"},
				{"explain some\t", "explain|some notes.txt"},
				{"run --log-file=some\t", "run|--log-file=some notes.txt"},
				{"completion po\t", "completion|powershell"},
			} {
				if diff := cmp.Diff(strings.Split(row.want, "|"), s.run("snapsync "+row.typed)); diff != "" {
					t.Errorf("%q (-want +got):\n%s", row.typed, diff)
				}
			}
		})
	}
}

const prompt = "ready> "

// shellHome makes a home directory, with a command snapsync that answers to the scripts and otherwise writes its words down.
func shellHome(t *testing.T, startup, script string) string {
	t.Helper()
	home := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"bin", "real", "work/Some Dir", "work/pri$e", filepath.Dir(startup)} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(self, filepath.Join(home, "real", "snapsync")); err != nil { // its TestMain goes by the name
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		startup:               script,
		"mappings.toml":       completionMappings,
		"rclone.conf":         "[nas]\ntype = sftp\nhost = nas\n[My Documents]\ntype = local\n[größe]\ntype = local\n",
		"work/some notes.txt": "",
		"bin/snapsync": "#!/bin/sh\ncase $1 in __complete) exec \"$HOME/real/snapsync\" \"$@\" ;; esac\n" +
			"printf '%s\\n' \"$@\" >\"$HOME/words\"\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// shell is a shell that reads from a terminal.
type shell struct {
	t        *testing.T
	home     string
	terminal *os.File

	mu     sync.Mutex
	screen bytes.Buffer // all that it printed
}

func startShell(t *testing.T, home, path string, args ...string) *shell {
	t.Helper()
	terminal, side := openTerminal(t)
	defer side.Close()
	s := &shell{t: t, home: home, terminal: terminal}
	cmd := exec.Command(path, args...)
	cmd.Dir = filepath.Join(home, "work")
	for i := range cmd.Args {
		cmd.Args[i] = strings.Replace(cmd.Args[i], ".bashrc", filepath.Join(home, ".bashrc"), 1)
	}
	cmd.Env = []string{
		"HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH"), "TERM=dumb", "LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=20",
		"SNAPSYNC_MAPPINGS=" + filepath.Join(home, "mappings.toml"), "RCLONE_CONFIG=" + filepath.Join(home, "rclone.conf"),
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go s.read(read)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		<-read // the terminal has nobody at its other end
		terminal.Close()
	})
	s.await(func() bool { return strings.Contains(s.seen(), prompt) })
	return s
}

// openTerminal returns both sides of a new one.
func openTerminal(t *testing.T) (terminal, side *os.File) {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("not run: no terminal can be made here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if side, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return terminal, side
}

// read ends with an error of the terminal, once no process has its other side.
func (s *shell) read(done chan<- struct{}) {
	defer close(done)
	buffer := make([]byte, 4096)
	for {
		n, err := s.terminal.Read(buffer)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.screen.Write(buffer[:n])
		s.mu.Unlock()
	}
}

func (s *shell) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.String()
}

// await ends the test if it takes too long: what is on the line by then would spoil the next.
func (s *shell) await(done func() bool) {
	s.t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("nothing comes; on the screen:\n%q", s.seen())
}

// run types a line and returns the words that the command snapsync got, without a slash at the end of the last one.
func (s *shell) run(typed string) []string {
	s.t.Helper()
	begun := len(s.seen())
	if _, err := s.terminal.WriteString(typed + "\n"); err != nil {
		s.t.Fatal(err)
	}
	s.await(func() bool {
		_, after, _ := strings.Cut(s.seen()[begun:], "\n")
		return strings.Contains(after, prompt)
	})
	words := filepath.Join(s.home, "words")
	content, err := os.ReadFile(words)
	if err != nil {
		s.t.Fatalf("%q: %v; on the screen:\n%q", typed, err, s.seen()[begun:])
	}
	if err := os.Remove(words); err != nil {
		s.t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(content), "/\n"), "\n")
}

// TestCompletionDoesNotHang: the config file is a pipe that nobody writes to.
func TestCompletionDoesNotHang(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "mappings.toml")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	grammar().Answer(t.Context(), []string{"run", "--mappings", pipe, "-m", ""}, &out)
	if out.String() != ":\n" {
		t.Errorf("answer %q", out.String())
	}
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	writer.Close() // what it left behind ends
}
