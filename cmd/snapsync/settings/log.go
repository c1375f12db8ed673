package settings

import (
	"log/slog"
	"strings"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// RotationFlags keep the log file from growing for ever. Names and meanings are rclone's.
type RotationFlags struct {
	LogFileMaxSize    string `group:"output" placeholder:"SIZE" help:"Rotate the log file when it reaches this size, such as 10M. Default: never."`
	LogFileMaxBackups int    `group:"output" placeholder:"N" help:"Old log files to keep. Default: all."`
	LogFileMaxAge     string `group:"output" placeholder:"AGE" help:"How long to keep old log files, such as 7d. Default: for ever."`
	LogFileCompress   bool   `group:"output" help:"Compress old log files."`
}

// rotation is what the flags mean. What cannot be a rotation is refused.
func (f *RotationFlags) rotation() (r console.Rotation, err error) {
	size := int64(-1)
	if f.LogFileMaxSize != "" {
		if size, err = rclone.ParseSize(f.LogFileMaxSize); err != nil {
			return r, exit.Usage("for instance 10M, or off", "--log-file-max-size: %w", err)
		}
	}
	var age time.Duration
	if f.LogFileMaxAge != "" {
		if age, err = rclone.ParseAge(f.LogFileMaxAge); err != nil {
			return r, exit.Usage("for instance 7d", "--log-file-max-age: %w", err)
		}
	}
	if f.LogFileMaxBackups < 0 {
		return r, exit.Usage("0 keeps all", "--log-file-max-backups %d: want a number from 0 up", f.LogFileMaxBackups)
	}
	return console.Rotation{MaxBytes: max(size, 0), MaxAge: age, MaxBackups: f.LogFileMaxBackups, Compress: f.LogFileCompress}, nil
}

// Level is --log-level, else what -v and -q say.
func (g *Globals) Level() (slog.Level, error) {
	switch strings.ToUpper(g.LogLevel) {
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "NOTICE":
		return console.LevelNotice, nil
	case "ERROR":
		return slog.LevelError, nil
	case "":
		return g.verbosity(), nil
	}
	return 0, exit.Usage("DEBUG, INFO, NOTICE and ERROR are known", "unknown log level %q", g.LogLevel)
}

func (g *Globals) verbosity() slog.Level {
	switch {
	case g.Quiet:
		return slog.LevelError
	case g.Verbose >= 2:
		return slog.LevelDebug
	case g.Verbose == 1:
		return slog.LevelInfo
	}
	return console.LevelNotice
}

// LogConfig is what the flags say about the log.
func (g *Globals) LogConfig() (cfg console.LogConfig, err error) {
	if cfg.Level, err = g.Level(); err != nil {
		return cfg, err
	}
	if g.LogFile != "" {
		cfg.Rotation, err = g.rotation()
	}
	cfg.JSON, cfg.File = g.UseJSONLog, g.LogFile
	return cfg, err
}
