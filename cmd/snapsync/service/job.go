package service

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
)

// Job is what a service manager shall run, and as whom.
type Job struct {
	User    *user.User // whom it runs as
	Program string     // absolute
	Args    []string   // of the program
	Env     []string   // NAME=VALUE
	EnvFile string     // of variables that a person adds, for systemd; need not exist
	Log     string     // the file that the program writes
}

// NewJob is a job of this program as it was called. Args and Log are left to the caller.
func NewJob(system bool, who *user.User) (*Job, error) {
	program, err := programPath()
	if err != nil {
		return nil, err
	}
	j := &Job{User: who, Program: program}
	if j.Own() {
		j.Env = inheritedEnvironment()
	}
	j.EnvFile = filepath.Join(j.ConfigDir(), "environment")
	if system {
		j.EnvFile = "/etc/snapsync/environment" // root reads it: a link of another user's would show them what is not theirs
	}
	return j, nil
}

// Own reports whether the service runs as whoever calls.
func (j *Job) Own() bool {
	me, err := user.Current()
	return err == nil && me.Uid == j.User.Uid
}

// ConfigDir is where the process looks for its configuration, unless it is told otherwise.
func (j *Job) ConfigDir() string { return j.dir(xdg.ConfigHome, ".config") }

// StateDir is where the process keeps its state, unless it is told otherwise.
func (j *Job) StateDir() string { return j.dir(xdg.StateHome, filepath.Join(".local", "state")) }

// dir is our directory in one such as ~/.config of whom the service runs as.
func (j *Job) dir(ours, below string) string {
	if !j.Own() {
		ours = filepath.Join(j.User.HomeDir, below)
	}
	return filepath.Join(ours, "snapsync")
}

// Passing reports whether the program will not be there tomorrow: `go run` builds into a temporary directory.
func (j *Job) Passing() bool {
	for dir := filepath.Dir(j.Program); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if strings.HasPrefix(filepath.Base(dir), "go-build") {
			return true
		}
	}
	return false
}

// programPath is this program as it was called, so that a link which a packager moves with each version stays
// one; os.Executable looks through links on some systems.
func programPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	called, err := exec.LookPath(os.Args[0])
	if err != nil {
		return self, nil
	}
	if called, err = filepath.Abs(called); err != nil || !sameFile(called, self) {
		return self, nil
	}
	return called, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// inheritedEnvironment is what decides where configuration and state are, and is set here.
func inheritedEnvironment() []string {
	var env []string
	for _, name := range []string{"RCLONE_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
