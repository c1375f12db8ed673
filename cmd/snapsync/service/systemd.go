package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/adrg/xdg"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// systemd is the service manager of most Linux systems: the instance of the machine, or that of a user,
// which runs while the user is logged in, or always with lingering.
type systemd struct{ system bool }

const unitName = Name + ".service"

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

// Install writes the unit and has it started from the next login or boot on. Where systemd does not run, as
// in a container or while an image is built, the link is made by hand, as systemd would find it.
func (s *systemd) Install(ctx context.Context, j *Job) (*Installed, error) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return nil, exit.Usage("have 'snapsync run' started by the service manager that you use", "there is no systemd on this machine: %w", err)
	}
	text, err := s.Text(j)
	if err != nil {
		return nil, err
	}
	changed, err := writeDefinition(s.unitPath(), text)
	if err != nil {
		return nil, err
	}
	done := &Installed{
		Definition:   s.unitPath(),
		Changed:      changed,
		Restart:      strings.Join(append(s.command(), "restart", Name), " "),
		Edit:         strings.Join(append(s.command(), "edit", Name), " "),
		EndsAtLogout: !s.system && !lingers(j.User),
	}
	if !s.isRunning(ctx) {
		done.Absent = s.absent()
		if err := s.link(); err != nil {
			return nil, err
		}
		return done, nil
	}
	if err := errors.Join(s.ctl(ctx, "daemon-reload"), s.ctl(ctx, "enable", unitName)); err != nil {
		return nil, err
	}
	done.Outdated = changed && s.show(ctx)["ActiveState"] == "active"
	return done, nil
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

// lingers reports whether a user's services run without a session. systemd-logind remembers that by
// a file.
func lingers(u *user.User) bool {
	_, err := os.Stat(filepath.Join("/var/lib/systemd/linger", u.Username))
	return err == nil
}

// Uninstall stops the process, if there is one, and removes unit and link.
func (s *systemd) Uninstall(ctx context.Context) (*Removed, error) {
	running := s.isRunning(ctx)
	if s.installed() == nil && running {
		if err := s.ctl(ctx, "disable", "--now", unitName); err != nil {
			return nil, err
		}
	}
	_, errLink := removeDefinition(s.wantedBy())
	found, err := removeDefinition(s.unitPath())
	if err := errors.Join(errLink, err); err != nil {
		return nil, err
	}
	if running {
		if err := s.ctl(ctx, "daemon-reload"); err != nil {
			return nil, err
		}
		s.ctl(ctx, "reset-failed", unitName) // one that failed would stay in lists; of any other it is an error
	}
	return &Removed{s.unitPath(), found}, nil
}

// Start returns when the process says that it is ready.
func (s *systemd) Start(ctx context.Context) error {
	if err := s.installed(); err != nil {
		return err
	}
	err := s.ctl(ctx, "start", unitName)
	if err == nil {
		return nil
	}
	p := s.show(ctx)
	if p["Result"] == "" || p["Result"] == "success" || s.system && os.Geteuid() != 0 {
		return err // of systemctl alone: no process ended
	}
	return &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("the service does not start: it %s", howItEnded(p)), Hint: "what it said: " + s.journal()}
}

// Stop returns when the process has ended.
func (s *systemd) Stop(ctx context.Context) error {
	if err := s.installed(); err != nil {
		return err
	}
	return s.ctl(ctx, "stop", unitName)
}

func (s *systemd) installed() error {
	if _, err := os.Stat(s.unitPath()); err != nil {
		return notInstalled(s.system)
	}
	return nil
}

// Status joins what is on disk with what systemd says, if it answers.
func (s *systemd) Status(ctx context.Context) (*Status, error) {
	st := &Status{Definition: s.unitPath(), State: "stopped", Journal: s.journal()}
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
	if !s.isRunning(ctx) {
		st.State, st.Text = "unknown", s.absent()
		return st, nil
	}
	st.fill(s.show(ctx))
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
func (s *systemd) isRunning(ctx context.Context) bool {
	_, err := s.output(ctx, "show", "--property=Version")
	return err == nil
}

// absent says why systemd does not answer, and when the service starts all the same.
func (s *systemd) absent() string {
	if _, err := os.Stat("/run/systemd/system"); err == nil && !s.system {
		return "your own systemd does not run now: the service starts when you log in"
	}
	return "systemd does not run here: the service starts with the next boot or login"
}

func (s *systemd) ctl(ctx context.Context, args ...string) error {
	_, err := s.output(ctx, args...)
	return err
}

func (s *systemd) output(ctx context.Context, args ...string) (string, error) {
	if !s.system {
		findSession()
	}
	out, err := runTool(ctx, append(s.command(), args...)...)
	switch {
	case err == nil:
		return out, nil
	case !s.system && !owns(os.Getenv("XDG_RUNTIME_DIR")):
		return out, &exit.Failure{Status: exit.StatusError, Err: err, Hint: "there is no session of yours here, as after su or sudo: log in as yourself, or use --system"}
	case s.system && os.Geteuid() != 0:
		return out, &exit.Failure{Status: exit.StatusError, Err: err, Hint: "call it with sudo"}
	}
	return out, err
}

// findSession sets XDG_RUNTIME_DIR for the whole process, so that a systemd of the caller is reached that this shell
// does not know: a shell of sudo or su has no such variable, or that of somebody else.
func findSession() {
	dir := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	if !owns(os.Getenv("XDG_RUNTIME_DIR")) && owns(dir) {
		os.Setenv("XDG_RUNTIME_DIR", dir)
	}
}
