// Package service has the service manager of the system run snapsync: systemd, launchd or that of Windows.
//
//	service.go       the Manager, what it returns, and which one this system has
//	job.go           what it shall run, and as whom
//	definition.go    the files that say so, from the templates in units/
//	systemd*.go      Linux; unit.go is its quoting
//	launchd*.go      macOS
//	scm_windows.go   Windows, and run_windows.go the protocol that it speaks with the process
//
// What it guarantees: each action can be called again when what it does is done already; a definition is written
// whole or not at all, and gives the process the very words of the Job, whatever bytes are in them; Stop and
// Uninstall return when the process has ended; configuration, state and log are left alone.
//
// What it leaves to others: what the words of the Job mean, whether there are mappings to run, who may call, and the
// terminal. It prints nothing; errors that a person can do something about are exit.Failures with a hint.
package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// Name is how the service manager calls it.
const Name = "snapsync"

// stopTime is what the process has from being told to end until it is killed.
const stopTime = 30 * time.Second

// Manager is what starts programs on this system. Its methods can be called again when what they do is done already.
// They must not be called concurrently.
type Manager interface {
	// Text is the definition that Install writes.
	Text(*Job) (string, error)
	// Install has the service started with the session or the machine from the next one on. It does not start it now.
	Install(context.Context, *Job) (*Installed, error)
	// Uninstall stops the service and undoes Install.
	Uninstall(context.Context) (*Removed, error)
	// Start and Stop act until the next session or boot. They fail if the service is not installed.
	Start(context.Context) error
	Stop(context.Context) error
	// Status never fails because the service is not there, or not running.
	Status(context.Context) (*Status, error)
}

// New picks the manager of this system: for the service of the machine, or for that of whoever calls. Windows has the
// former only.
func New(system bool) (Manager, error) {
	switch runtime.GOOS {
	case "linux":
		return &systemd{system}, nil
	case "darwin":
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("find home directory: %w", err)
		}
		return &launchd{system, home}, nil
	case "windows":
		return newSCM()
	}
	return nil, exit.Usage("have 'snapsync run' started by the one that you use",
		"no service manager of %s is known", runtime.GOOS)
}

// Installed is what Install did and found.
type Installed struct {
	Definition   string // the file; "": the manager has it in a place of its own
	Changed      bool   // Definition was written; false: it said the same already
	Outdated     bool   // the service runs as it was installed before
	Restart      string // the command that mends this; "": Stop and Start do
	Absent       string // why the manager does not answer, and when the service starts all the same; "": it does
	Edit         string // the command that changes the definition; "": there is none
	EndsAtLogout bool   // the service stops when its user logs out, and would not if the user lingered
}

// Removed is what Uninstall did.
type Removed struct {
	Definition string // the file; "": the manager has it in a place of its own
	Found      bool   // false: there was nothing to remove
}

// Status is how the service stands.
type Status struct {
	Installed  bool       `json:"installed"`
	Enabled    bool       `json:"enabled"` // starts by itself
	State      string     `json:"state"`   // running, starting, stopping, stopped, failed, unknown
	Text       string     `json:"text,omitempty"`
	Since      *time.Time `json:"since"` // UTC; nil: it does not run, or that is not known
	PID        int        `json:"pid,omitempty"`
	Restarts   int        `json:"restarts,omitempty"` // after failures
	Definition string     `json:"definition,omitempty"`
	Log        string     `json:"log,omitempty"`
	Linger     *bool      `json:"linger,omitempty"` // a user's service under systemd runs without a session

	Journal string `json:"-"` // the command that shows what the log does not have; "": there is none
}

// notInstalled is for what needs a service.
func notInstalled(system bool) error {
	hint := "'snapsync service install' installs it; --system means the one of the machine"
	if system {
		hint = "'sudo snapsync service install --system' installs it; without --system yours is meant"
	}
	return &exit.Failure{Status: exit.StatusError, Err: errors.New("the service is not installed"), Hint: hint}
}

// runTool runs a program of the system and makes what it says on stderr the error.
func runTool(ctx context.Context, command ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
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
