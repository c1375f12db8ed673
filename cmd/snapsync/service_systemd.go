package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/adrg/xdg"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// systemd is the service manager of most Linux systems: the instance of the machine, or that of a user,
// which runs while the user is logged in, or always with lingering.
type systemd struct {
	app    *app
	system bool
}

func newSystemd(a *app, system bool) *systemd { return &systemd{a, system} }

const unitName = serviceName + ".service"

// dir is where units are that a person adds.
func (s *systemd) dir() string {
	if s.system {
		return "/etc/systemd/system"
	}
	return filepath.Join(xdg.ConfigHome, "systemd", "user")
}

func (s *systemd) unitPath() string { return filepath.Join(s.dir(), unitName) }

// wantedBy is the link that starts the unit with the session or the machine: what `enable` makes.
func (s *systemd) wantedBy() string { return filepath.Join(s.dir(), s.target()+".wants", unitName) }

func (s *systemd) target() string {
	if s.system {
		return "multi-user.target"
	}
	return "default.target"
}

// install writes the unit and has it started from the next login or boot on. Where systemd does not run, as
// in a container or while an image is built, the link is made by hand, as systemd would find it.
func (s *systemd) install(j *job) error {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return exit.Usage("have 'snapsync run' started by the service manager that you use", "there is no systemd on this machine: %w", err)
	}
	text, err := s.text(j)
	if err != nil {
		return err
	}
	changed, err := writeDefinition(s.unitPath(), text)
	if err != nil {
		return err
	}
	running := s.isRunning()
	if running {
		if err := errors.Join(s.ctl("daemon-reload"), s.ctl("enable", unitName)); err != nil {
			return err
		}
	} else if err := s.link(); err != nil {
		return err
	}
	s.explain(j, changed, running)
	return nil
}

// link is `systemctl enable` without systemd.
func (s *systemd) link() error {
	if err := os.MkdirAll(filepath.Dir(s.wantedBy()), 0o755); err != nil {
		return fmt.Errorf("enable service: %w", err)
	}
	if to, err := os.Readlink(s.wantedBy()); err == nil && to == s.unitPath() {
		return nil
	}
	os.Remove(s.wantedBy())
	if err := os.Symlink(s.unitPath(), s.wantedBy()); err != nil {
		return fmt.Errorf("enable service: %w", err)
	}
	return nil
}

// explain says what was done and how to go on.
func (s *systemd) explain(j *job, changed, running bool) {
	a, scope := s.app, ""
	if s.system {
		scope = " --system"
	}
	if changed {
		a.tell("wrote %s", text.Path(s.unitPath()))
	} else {
		a.tell("%s is up to date", text.Path(s.unitPath()))
	}
	a.tell("it runs as %s, and starts with %s", j.user.Username, map[bool]string{true: "the machine", false: "your session"}[s.system])
	switch {
	case !running:
		a.tell("%s", s.absent())
	case changed && s.show()["ActiveState"] == "active":
		a.tell("it still runs as it was installed before; restart it: %s restart %s", strings.Join(s.command(), " "), serviceName)
	default:
		a.tell("start it:    snapsync service start%s", scope)
	}
	a.tell("look at it:  snapsync service status%s, snapsync status", scope)
	a.tell("its log:     %s", text.Path(j.log))
	a.tell("change it:   %s edit %s", strings.Join(s.command(), " "), serviceName)
	if !s.system && !lingers(j.user) {
		a.tell("it stops when you log out; this keeps it running: loginctl enable-linger %s", text.ShellWord(j.user.Username))
	}
}

// lingers reports whether a user's services run without a session. It is the file by which systemd-logind
// remembers it.
func lingers(u *user.User) bool {
	_, err := os.Stat(filepath.Join("/var/lib/systemd/linger", u.Username))
	return err == nil
}

func (s *systemd) uninstall() error {
	running := s.isRunning()
	if _, err := os.Stat(s.unitPath()); err == nil && running {
		if err := s.ctl("disable", "--now", unitName); err != nil {
			return err
		}
	}
	_, errLink := removeDefinition(s.wantedBy())
	found, err := removeDefinition(s.unitPath())
	if err := errors.Join(errLink, err); err != nil {
		return err
	}
	if running {
		if err := s.ctl("daemon-reload"); err != nil {
			return err
		}
		s.ctl("reset-failed", unitName) // one that failed would stay in lists; of any other it is an error
	}
	if !found {
		s.app.tell("not installed: there is no %s", text.Path(s.unitPath()))
		return nil
	}
	s.app.tell("removed %s; configuration, state and log are as they were", text.Path(s.unitPath()))
	return nil
}

func (s *systemd) start() error {
	if err := s.installed(); err != nil {
		return err
	}
	if err := s.ctl("start", unitName); err != nil {
		return s.whyNot(err)
	}
	s.app.tell("started; 'snapsync status' shows how the mappings stand")
	return nil
}

func (s *systemd) stop() error {
	if err := s.installed(); err != nil {
		return err
	}
	if err := s.ctl("stop", unitName); err != nil {
		return err
	}
	s.app.tell("stopped; what was under way is finished or recorded")
	return nil
}

func (s *systemd) installed() error {
	if _, err := os.Stat(s.unitPath()); err != nil {
		return notInstalled(s.system)
	}
	return nil
}

// notInstalled is for what needs a service.
func notInstalled(system bool) error {
	hint := "'snapsync service install' installs it; --system means the one of the machine"
	if system {
		hint = "'sudo snapsync service install --system' installs it; without --system yours is meant"
	}
	return &exit.Failure{Status: exit.StatusError, Err: errors.New("the service is not installed"), Hint: hint}
}

func (s *systemd) status() (*serviceStatus, error) {
	st := &serviceStatus{Definition: s.unitPath(), State: "stopped", more: s.journal()}
	text, err := os.ReadFile(s.unitPath())
	if err != nil {
		return st, nil
	}
	st.Installed, st.Log = true, logOf(string(text))
	_, err = os.Lstat(s.wantedBy())
	st.Enabled = err == nil
	if !s.system {
		me, err := user.Current()
		lingering := err == nil && lingers(me)
		st.Linger = &lingering
	}
	if !s.isRunning() {
		st.State, st.Text = "unknown", s.absent()
		return st, nil
	}
	st.fill(s.show())
	return st, nil
}

// logOf finds the log file in a unit that install wrote.
func logOf(unit string) string {
	scanner := bufio.NewScanner(strings.NewReader(unit))
	for scanner.Scan() {
		if path, ok := strings.CutPrefix(scanner.Text(), "# log: "); ok {
			return path
		}
	}
	return ""
}

func (s *systemd) command() []string {
	if s.system {
		return []string{"systemctl"}
	}
	return []string{"systemctl", "--user"}
}

// isRunning reports whether systemd answers.
func (s *systemd) isRunning() bool {
	_, err := s.output("show", "--property=Version")
	return err == nil
}

// absent says why systemd does not answer, and when the service starts all the same.
func (s *systemd) absent() string {
	if _, err := os.Stat("/run/systemd/system"); err == nil && !s.system {
		return "your own systemd does not run now: the service starts when you log in"
	}
	return "systemd does not run here: the service starts with the next boot or login"
}

func (s *systemd) ctl(args ...string) error {
	_, err := s.output(args...)
	return err
}

func (s *systemd) output(args ...string) (string, error) {
	if !s.system {
		findSession()
	}
	out, err := runTool(s.app, append(s.command(), args...)...)
	switch {
	case err == nil:
		return out, nil
	case !s.system && !control.Own(os.Getenv("XDG_RUNTIME_DIR")):
		return out, &exit.Failure{Status: exit.StatusError, Err: err, Hint: "there is no session of yours here, as after su or sudo: log in as yourself, or use --system"}
	case s.system && os.Geteuid() != 0:
		return out, &exit.Failure{Status: exit.StatusError, Err: err, Hint: "call it with sudo"}
	}
	return out, err
}

// findSession makes a systemd of the caller's reachable that runs although this shell does not know of it: one
// that sudo or su made has no XDG_RUNTIME_DIR, or that of somebody else.
func findSession() {
	dir := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	if !control.Own(os.Getenv("XDG_RUNTIME_DIR")) && control.Own(dir) {
		os.Setenv("XDG_RUNTIME_DIR", dir)
	}
}

// runTool runs a program of the system and makes what it says on stderr the error.
func runTool(a *app, command ...string) (string, error) {
	cmd := exec.CommandContext(a.ctx, command[0], command[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		if text := strings.Join(strings.Fields(said.String()), " "); text != "" {
			err = errors.New(text)
		}
		return string(out), fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return string(out), nil
}
