package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// launchd is the service manager of macOS: an agent of a user, or a daemon of the machine. It takes up
// what lies in its directory at the next login or boot, so that writing a file is all that install does;
// start and stop load and unload it until then.
type launchd struct {
	system bool
	home   string
}

const launchdLabel = "io.github.snapsync"

func (l *launchd) path() string {
	if l.system {
		return filepath.Join("/Library/LaunchDaemons", launchdLabel+".plist")
	}
	return filepath.Join(l.home, "Library", "LaunchAgents", launchdLabel+".plist")
}

// domain is where launchctl looks for the service.
func (l *launchd) domain() string {
	if l.system {
		return "system"
	}
	return "gui/" + strconv.Itoa(os.Getuid())
}

func (l *launchd) service() string { return l.domain() + "/" + launchdLabel }

// makeStderr makes the file for errors: launchd starts nothing whose files cannot be opened, and makes no directories.
func (l *launchd) makeStderr(j *Job) error {
	path := l.stderrPath(j)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory of the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make file for errors: %w", err)
	}
	if l.system {
		uid, _ := strconv.Atoi(j.User.Uid) // numbers, wherever there is a launchd
		gid, _ := strconv.Atoi(j.User.Gid)
		err = f.Chown(uid, gid)
	}
	return errors.Join(err, f.Close())
}

// Install writes the property list.
func (l *launchd) Install(ctx context.Context, j *Job) (*Installed, error) {
	text, err := l.Text(j)
	if err != nil {
		return nil, err
	}
	if err := l.makeStderr(j); err != nil {
		return nil, err
	}
	changed, err := writeDefinition(l.path(), text)
	if err != nil {
		return nil, err
	}
	return &Installed{Definition: l.path(), Changed: changed, Outdated: changed && l.loaded(ctx)}, nil
}

// Uninstall stops the process, if there is one, and removes the property list.
func (l *launchd) Uninstall(ctx context.Context) (*Removed, error) {
	if err := l.unload(ctx); err != nil {
		return nil, err
	}
	found, err := removeDefinition(l.path())
	if err != nil {
		return nil, err
	}
	return &Removed{l.path(), found}, nil
}

// Start loads the service, which starts it, or starts one that is loaded and has ended.
func (l *launchd) Start(ctx context.Context) error {
	if err := l.installed(); err != nil {
		return err
	}
	action := []string{"bootstrap", l.domain(), l.path()}
	if l.loaded(ctx) {
		action = []string{"kickstart", l.service()}
	}
	err := l.ctl(ctx, action...)
	if err == nil || l.system {
		return err
	}
	return &exit.Failure{Status: exit.StatusError, Err: err, Hint: "an agent runs in the session of whoever is logged in at the screen, not in that of ssh or sudo; --system needs no session"}
}

// Stop unloads the service until the next login or boot.
func (l *launchd) Stop(ctx context.Context) error {
	if err := l.installed(); err != nil {
		return err
	}
	return l.unload(ctx)
}

func (l *launchd) installed() error {
	if _, err := os.Stat(l.path()); err != nil {
		return notInstalled(l.system)
	}
	return nil
}

// Status joins what is on disk with what launchd says, if it has the service loaded.
func (l *launchd) Status(ctx context.Context) (*Status, error) {
	st := &Status{Definition: l.path(), State: "stopped"}
	if l.installed() == nil {
		st.Installed, st.Enabled = true, true
	}
	out, err := runTool(ctx, "launchctl", "print", l.service())
	if err != nil {
		return st, nil // not loaded
	}
	st.fillLaunchd(out)
	return st, nil
}

// fillLaunchd takes in what `launchctl print` says, which is for people: the first line of each kind
// is the service's own.
func (st *Status) fillLaunchd(out string) {
	first := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if _, seen := first[key]; ok && !seen {
			first[key] = value
		}
	}
	if first["state"] == "running" {
		st.State = "running"
	}
	st.PID, _ = strconv.Atoi(first["pid"])
	if code := first["last exit code"]; st.State != "running" && code != "" && code != "0" && !strings.HasPrefix(code, "(") {
		st.State, st.Text = "failed", "exit status "+code
	}
}

// unload ends the process and has launchd forget the service. launchctl returns before that is so, with an error
// if it takes long, and until then the service cannot be loaded again.
func (l *launchd) unload(ctx context.Context) error {
	if !l.loaded(ctx) {
		return nil
	}
	err := l.ctl(ctx, "bootout", l.service())
	if err != nil && !strings.Contains(err.Error(), "in progress") {
		return err
	}
	for deadline := time.Now().Add(stopTime + 10*time.Second); l.loaded(ctx); {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.New("launchd still has the service: try again")
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// loaded reports whether launchd knows the service now.
func (l *launchd) loaded(ctx context.Context) bool { return l.ctl(ctx, "print", l.service()) == nil }

func (l *launchd) ctl(ctx context.Context, args ...string) error {
	_, err := runTool(ctx, append([]string{"launchctl"}, args...)...)
	return err
}
