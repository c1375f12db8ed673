package rclone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/accounting"
	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/config/configfile"
	"github.com/rclone/rclone/fs/config/obscure"
	"github.com/rclone/rclone/lib/atexit"

	"github.com/snapsync/snapsync/backends/noconfigdir"
)

func init() { noconfigdir.Undo() }

// Settings are what rclone needs to know about this process. Zero values are usable.
type Settings struct {
	// AskPassword lets rclone ask on the terminal for the password of an encrypted configuration.
	// Set it only where stdin and stderr are terminals.
	AskPassword bool
	// PasswordCommand prints that password (rclone's --password-command). RCLONE_CONFIG_PASS works
	// without it.
	PasswordCommand string
	// NoPasswordCommand runs no such command, whatever names it: nobody may be asked anything.
	NoPasswordCommand bool
	// ConfigFile is rclone's configuration; "": RCLONE_CONFIG, else where rclone looks for it.
	ConfigFile string
	// Options are those of Options. Some of rclone belongs to the process: its transport, its limit of transactions, its memory.
	Options map[string]string
	// Log gets rclone's own messages: errors as warnings, the rest at debug level. nil: discarded.
	Log *slog.Logger
}

var start struct {
	once sync.Once
	err  error
}

// Init starts rclone in this process: no signal handlers, no prompts unless allowed, the user's
// configuration. Only the first call does anything; later ones return its result. Open calls it with
// zero Settings if nobody did. It does not fail for want of a configuration file.
func Init(ctx context.Context, s Settings) error {
	start.once.Do(func() { start.err = initRclone(ctx, s) })
	return start.err
}

// initRclone has an order: signals before anything registers a handler, the path before the file is installed, the
// password rules before the file is read.
func initRclone(ctx context.Context, s Settings) error {
	atexit.IgnoreSignals()
	setLogger(s.Log)
	path := s.ConfigFile
	if path == "" {
		path = os.Getenv("RCLONE_CONFIG")
	}
	if path != "" {
		if err := config.SetConfigPath(path); err != nil {
			return fmt.Errorf("set rclone configuration %q: %w", path, err)
		}
	}
	global := fs.GetConfig(context.Background())
	if _, err := take(global, s.Options, setBackendOption); err != nil {
		return err
	}
	global.AskPassword = s.AskPassword && global.AskPassword
	if s.NoPasswordCommand {
		global.PasswordCommand = nil // that of the environment
	} else if s.PasswordCommand != "" {
		if err := global.PasswordCommand.Set(s.PasswordCommand); err != nil {
			return fmt.Errorf("parse password command: %w", err)
		}
	}
	if err := readable(config.GetConfigPath()); err != nil {
		return err
	}
	configfile.Install()
	if err := load(); err != nil {
		return err
	}
	// What rclone makes when it is first needed, without a lock: here remotes are opened concurrently.
	_, _ = obscure.Obscure("")
	if _, err := os.Stat(config.GetConfigPath()); err == nil {
		config.LoadedData() // a missing file would be complained of
	}
	takeBandwidth(global)
	accounting.Start(context.WithoutCancel(ctx))
	return nil
}

// readable returns an error where rclone, when it needs the configuration, would call os.Exit.
func readable(path string) error {
	if path == "" {
		return nil // in memory only
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("open rclone configuration: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return fmt.Errorf("open rclone configuration: %w", err)
	} else if info.IsDir() {
		return fmt.Errorf("open rclone configuration: %s is a directory", path)
	}
	return nil
}

// load reads the configuration now, since rclone would exit where this returns an error.
func load() error {
	err := config.Data().Load()
	switch {
	case err == nil, errors.Is(err, config.ErrorConfigFileNotFound):
		return nil
	case strings.Contains(err.Error(), "not allowed to ask for password"):
		return fmt.Errorf("load rclone configuration %s: it is encrypted: set RCLONE_CONFIG_PASS or "+
			"give --password-command, or run on a terminal", config.GetConfigPath())
	case strings.Contains(err.Error(), "unable to decrypt configuration"):
		return fmt.Errorf("load rclone configuration %s: wrong password: %w", config.GetConfigPath(), err)
	}
	return fmt.Errorf("load rclone configuration %s: %w", config.GetConfigPath(), err)
}
