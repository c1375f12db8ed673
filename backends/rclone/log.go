package rclone

import (
	"context"
	"log/slog"

	"github.com/rclone/rclone/fs"
)

// setLogger routes rclone's messages to log. What matters about a failure comes back as an error, so
// even rclone's notices are only debugging; its errors are kept as warnings, because some, such as a
// refreshed token that could not be saved, are reported nowhere else.
func setLogger(log *slog.Logger) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	fs.SetLogger(demoted{log.Handler()})
	level := fs.LogLevelError
	if log.Enabled(context.Background(), slog.LevelDebug) {
		level = fs.LogLevelDebug
	}
	fs.GetConfig(context.Background()).LogLevel = level
}

// demoted lowers the levels of what passes through, and hides the secrets in remotes that it quotes.
type demoted struct{ slog.Handler }

func (h demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, demote(level))
}

func (h demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level, r.Message = demote(r.Level), redact(r.Message)
	r.AddAttrs(slog.String("from", "rclone"))
	return h.Handler.Handle(ctx, r)
}

func (h demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{h.Handler.WithAttrs(attrs)}
}

func (h demoted) WithGroup(name string) slog.Handler { return demoted{h.Handler.WithGroup(name)} }

func demote(level slog.Level) slog.Level {
	if level >= slog.LevelError {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
