package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// ConfigPath returns where the config file is, or would be.
func (g *Globals) ConfigPath() string {
	if g.Mappings != "" {
		return g.Mappings
	}
	return filepath.Join(xdg.ConfigHome, "snapsync", "config.toml")
}

// ConfigFile reads the config file. The error is fs.ErrNotExist if there is none, which is only an
// error where one was named.
func (r *Resolver) ConfigFile() (*config.File, error) {
	path := r.ConfigPath()
	if _, err := os.Stat(path); err != nil && r.Mappings != "" {
		return nil, exit.Usage("--mappings names the config file; 'snapsync config init' makes one", "read mappings: %v", err)
	}
	file, err := r.Schema().Load(path)
	return file, AsUsage(err)
}

// AsUsage makes what is wrong with a config file a usage error.
func AsUsage(err error) error {
	if problems, ok := err.(config.Problems); ok {
		return &exit.Failure{Status: exit.StatusUsage, Err: problems, Hint: "'snapsync config edit' opens the file, 'snapsync config check' looks for mistakes"}
	}
	return err
}

// Configure sets what the config file says about the process, unless a flag or a variable says it.
func (r *Resolver) Configure(parsed *kong.Context) error {
	file, err := r.ConfigFile()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || canDoWithout(parsed) {
			return nil
		}
		return err
	}
	// The log file is that of the process that stays, which a service is: a person who asks something looks
	// at the terminal, and only one process can rotate a file.
	mine := func(name string) bool {
		return !strings.HasPrefix(name, "log-file") || IsAbout(parsed, "run", "service")
	}
	var flags []*kong.Flag
	for _, f := range parsed.Flags() {
		if r.Given[f.Name] == ByNothing && mine(f.Name) {
			flags = append(flags, f)
		}
	}
	err = AsUsage(Apply(file, flags, file.Process).Err())
	if canDoWithout(parsed) {
		return nil
	}
	return err
}

// canDoWithout reports whether a command works with a config file that is wrong, or looks for what is
// wrong itself.
func canDoWithout(parsed *kong.Context) bool {
	return IsAbout(parsed, "config", "service", "version", "completion", "doctor")
}

// IsAbout reports whether the command is one of these or beneath it.
func IsAbout(parsed *kong.Context, commands ...string) bool {
	for n := parsed.Selected(); n != nil; n = n.Parent {
		if slices.Contains(commands, n.Name) {
			return true
		}
	}
	return false
}
