package settings

import (
	"log/slog"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// Level returns --log-level, else what -v and -q say.
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

// LogConfig returns what the flags say about the log.
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
