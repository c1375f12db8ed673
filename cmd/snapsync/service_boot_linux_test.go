package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is one that systemd has booted: namespaces of this one, see testdata/service/boot.sh.
type machine struct {
	t     *testing.T
	said  *bytes.Buffer // while it booted
	inner string        // its process 1, as seen from here
}

// installed is where the program is in there: a unit that does not quote well cannot start it.
const installed = "/opt/100% %n sync/snapsync"

// boot has a machine until the test ends.
func boot(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can boot a systemd of its own")
	}
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		t.Skip("systemd: not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // Pdeathsig goes by the thread
	m := &machine{t: t, said: &bytes.Buffer{}}
	group := fmt.Sprintf("snapsync-test-%d", os.Getpid())
	outer := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--propagation", "private",
		"sh", filepath.Join("testdata", "service", "boot.sh"), t.TempDir(), self)
	outer.Env = append(os.Environ(), "GROUP="+group)
	outer.Stderr = m.said
	outer.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := outer.Start(); err != nil {
		t.Skipf("cannot boot systemd here: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- outer.Wait() }()
	t.Cleanup(func() {
		outer.Process.Kill() // and its child with it
		<-ended
		removeGroup(t, group)
	})
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Skipf("cannot boot systemd here: %v: %s", err, lastLine(m.said.String()))
		default:
		}
		if m.inner = childOf(outer.Process.Pid); m.inner != "" && m.try("root", "systemctl is-active test.target") == nil {
			return m
		}
		if time.Now().After(deadline) {
			out, _ := m.command("root", "systemctl list-jobs; systemctl --failed; journalctl -b | tail -n 40").CombinedOutput()
			t.Fatalf("it did not boot:\n%s", out)
		}
	}
}

// childOf is the only child of a process, once it has become systemd.
func childOf(pid int) string {
	out, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	child := strings.TrimSpace(string(out))
	name, _ := os.ReadFile("/proc/" + child + "/comm")
	if child == "" || strings.TrimSpace(string(name)) != "systemd" {
		return ""
	}
	return child
}

// removeGroup removes a control group with all that are below it. The kernel frees them some moments after their last process.
func removeGroup(t *testing.T, name string) {
	script := `d=$(mktemp -d) && mount -t cgroup2 cgroup2 "$d" && cd "$d" || exit 1
		for i in 1 2 3 4 5 6 7 8 9 10; do
			[ -d "$0" ] || exit 0
			find "$0" -depth -type d -exec rmdir {} + 2>/dev/null
			sleep 0.2
		done; ! [ -d "$0" ]`
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", script, name).CombinedOutput()
	if err != nil {
		t.Errorf("control group %s is left: %v: %s", name, err, out)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// command is a shell's, in there, as root or as alice. "snapsync" is the program, with the path that it is installed at.
func (m *machine) command(user, script string) *exec.Cmd {
	uid, home := "0", "/root"
	if user == "alice" {
		uid, home = "4242", "/home/alice"
	}
	// alice's shell is one that su has made: without XDG_RUNTIME_DIR.
	return exec.Command("nsenter", "--target", m.inner, "--all", "--root", "--wd", "setpriv", "--reuid", uid, "--regid", uid, "--clear-groups",
		"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME="+home, "USER="+user, "TZ=UTC", "GORACE=atexit_sleep_ms=20",
		"sh", "-euc", "cd; snapsync() { '"+installed+"' \"$@\"; }; "+script)
}

func (m *machine) try(user, script string) error { return m.command(user, script).Run() }

// do runs a script that must succeed and returns what it prints.
func (m *machine) do(user, script string) string {
	m.t.Helper()
	cmd, said := m.command(user, script), strings.Builder{}
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%s: %s: %v\n%s%s", user, script, err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// says fails the test unless a script prints what the pattern matches. How the script ends does not matter.
func (m *machine) says(user, script, pattern string) {
	m.t.Helper()
	if out, _ := m.command(user, script).CombinedOutput(); !regexp.MustCompile("(?m)" + pattern).Match(out) {
		m.t.Errorf("%s: %s: want %q\n%s", user, script, pattern, out)
	}
}

// soon waits until a script succeeds.
func (m *machine) soon(user, script string) {
	m.t.Helper()
	for deadline := time.Now().Add(timeout); m.try(user, script) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			out, err := m.command(user, script).CombinedOutput()
			log, _ := m.command("root", "journalctl -b | tail -n 40").CombinedOutput()
			m.t.Fatalf("%s: %s: %v\n%s\n%s", user, script, err, out, log)
		}
	}
}

// A real systemd starts what install wrote, keeps it alive, reloads and stops it, and is not asked to go on when
// that would be no use.
func TestServiceUnderSystemd(t *testing.T) {
	t.Parallel() // it mostly waits
	m := boot(t)
	m.do("alice", `mkdir -p source .config/snapsync && echo one >source/one
		printf '[mappings.home]\nsource = "~/source"\nremote = "~/remote"\n' >.config/snapsync/config.toml
		echo GORACE=atexit_sleep_ms=20 >.config/snapsync/environment`)
	t.Run("user", func(t *testing.T) { m.t = t; m.user() })
	t.Run("machine", func(t *testing.T) { m.t = t; m.machine() })
}

func (m *machine) user() {
	const ctl = "XDG_RUNTIME_DIR=/run/user/4242 systemctl --user "
	m.do("alice", "snapsync service install --state-dir 'my %h state'")
	m.do("alice", "snapsync service start") // succeeds when the process says that it is ready
	m.says("alice", "snapsync service status", `^state +running, process \d+, since`)
	m.says("alice", "snapsync service status", `^log +'?/home/alice/my %h state/snapsync.log`)
	m.soon("alice", "cmp source/one remote/one")
	m.soon("alice", ctl+"show snapsync -P StatusText | grep '^1 idle$'")

	pid := m.do("alice", ctl+"show snapsync -P MainPID")
	m.do("alice", `mkdir more; echo two >more/two
		printf '[mappings.more]\nsource = "~/more"\nremote = "~/second"\n' >>.config/snapsync/config.toml; `+ctl+"reload snapsync")
	m.soon("alice", "cmp more/two second/two")
	m.soon("alice", fmt.Sprintf("[ %s = $(%sshow snapsync -P MainPID) ] && %[2]sis-active snapsync", pid, ctl))

	// Killed, it is started again after half a minute, and says so; here after a second.
	m.do("alice", "kill -KILL "+pid)
	m.soon("alice", ctl+"show snapsync -P SubState | grep auto-restart")
	m.says("alice", "snapsync service status", `ended by signal 9 \(killed\); started again after 30s$`)
	m.do("alice", `mkdir .config/systemd/user/snapsync.service.d
		printf '[Service]\nRestartSec=1\nWatchdogSec=5\n' >.config/systemd/user/snapsync.service.d/test.conf; `+ctl+"daemon-reload; "+ctl+"restart snapsync")
	again := func(signal string) {
		m.t.Helper()
		pid := m.do("alice", ctl+"show snapsync -P MainPID")
		m.do("alice", "kill -"+signal+" "+pid)
		m.soon("alice", fmt.Sprintf("[ %s != $(%sshow snapsync -P MainPID) ] && %[2]sis-active snapsync", pid, ctl))
		m.says("alice", "snapsync service status", `^restarts +\d`)
	}
	again("KILL")
	again("STOP") // gives no sign of life any more
	m.says("root", "journalctl -b", "snapsync.service: Failed with result 'watchdog'")
	m.do("alice", "echo three >source/three")
	m.soon("alice", "cmp source/three remote/three")

	// A mistake in the configuration is told, and not tried again.
	m.do("alice", "cp .config/snapsync/config.toml good; echo broken >>.config/snapsync/config.toml; ! "+ctl+"restart snapsync")
	m.says("alice", "snapsync service start", `does not start: it ended with status 2: 'snapsync config check'`)
	m.says("alice", "snapsync service status", `^state +failed$`)
	m.do("alice", "cp good .config/snapsync/config.toml; snapsync service start; snapsync service stop")
	m.says("alice", "snapsync service status", `^state +stopped$`)
	m.says("alice", ctl+"show snapsync", `^Result=success$`)

	m.do("alice", "snapsync service uninstall; ! snapsync service start; [ -e .config/snapsync/config.toml ]")
	m.says("alice", ctl+"show snapsync", `^LoadState=not-found$`)
}

func (m *machine) machine() {
	m.do("root", "mkdir -p /etc/snapsync; echo GORACE=atexit_sleep_ms=20 >/etc/snapsync/environment; chmod 600 /etc/snapsync/environment")
	m.do("root", "snapsync service install --system --run-as alice; snapsync service start --system")
	m.soon("alice", "snapsync status | grep -A1 '^home ' | grep idle") // over its socket, which is not in a session's directory
	m.do("alice", "echo four >source/four")
	m.soon("alice", "cmp source/four remote/four")
	m.says("alice", "snapsync service status --system", `^state +running`)
	m.says("root", "stat -c %U /proc/$(systemctl show snapsync -P MainPID)", `^alice$`)
	m.says("root", "tr '\\0' '\\n' </proc/$(systemctl show snapsync -P MainPID)/environ", `^GORACE=`)

	// A file system that is mounted in the source while it runs is seen, and does not stay mounted for it.
	m.do("root", "mkdir ~alice/source/disk; mount -t tmpfs -o uid=4242 tmpfs ~alice/source/disk; echo five >~alice/source/disk/five")
	m.do("alice", "snapsync sync")
	m.soon("alice", "cmp source/disk/five remote/disk/five")
	m.do("root", "umount ~alice/source/disk")

	// root may see and write everything, and is confined as the unit says.
	m.do("root", "snapsync service stop --system; snapsync service uninstall --system")
	m.do("root", `mkdir -p .config/snapsync
		printf '[mappings.all]\nsource = "/home/alice/source"\nremote = "~/all"\nmetadata = true\n' >.config/snapsync/config.toml
		snapsync service install --system --run-as root; snapsync service start --system`)
	m.soon("root", "cmp ~alice/source/four all/four")
	m.soon("root", "[ $(stat -c %U all/four) = alice ]")
	m.do("root", "nsenter --target $(systemctl show snapsync -P MainPID) --mount sh -c '! touch /usr/x 2>/dev/null'")
	m.do("root", "snapsync service uninstall --system; ! systemctl is-active snapsync")
}
