package console

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// LevelNotice lies between info and warning: what is worth saying without -v. It has rclone's number.
const LevelNotice = slog.Level(2)

// Screen is where lines for people go while something else may be drawing on the terminal: above the
// live view if there is one, straight to stderr otherwise.
type Screen struct {
	mu   sync.Mutex
	Out  io.Writer
	live io.Writer // nil: none
}

// Write implements io.Writer. One call is one or more whole lines.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return s.live.Write(p)
	}
	return s.Out.Write(p)
}

// Over makes w the place for lines until the returned function is called.
func (s *Screen) Over(w io.Writer) (restore func()) {
	set := func(w io.Writer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.live = w
	}
	set(w)
	return func() { set(nil) }
}

// LogConfig says which log lines are written, where to and in what form.
type LogConfig struct {
	Level    slog.Level
	JSON     bool
	File     string // "": they go to the terminal
	Rotation Rotation
}

// OpenLog makes the log of a process. Its lines go to the file, or above whatever is drawn over screen.
func OpenLog(cfg LogConfig, screen *Screen) (*slog.Logger, *LogLines, error) {
	lines := &LogLines{screen: screen}
	lines.Level.Set(cfg.Level)
	if cfg.File != "" {
		f, err := NewLogFile(cfg.File, cfg.Rotation)
		if err != nil {
			return nil, nil, err
		}
		lines.To(f)
	}
	if cfg.JSON {
		return slog.New(slog.NewJSONHandler(text.Safe{Writer: lines}, &slog.HandlerOptions{Level: &lines.Level, ReplaceAttr: namedLevel})), lines, nil
	}
	return slog.New(&lineHandler{out: lines, level: &lines.Level, mu: &sync.Mutex{}}), lines, nil
}

// LogLines is which log lines are written, and where to. Both can be changed beneath all loggers.
type LogLines struct {
	Level  slog.LevelVar
	screen *Screen

	mu   sync.Mutex
	file LogFile // of --log-file; nil: the screen
}

// Write implements io.Writer. One call is one or more whole lines.
func (l *LogLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		return l.file.Write(p)
	}
	return l.screen.Write(p)
}

// To makes later lines go to f; nil: to the screen.
func (l *LogLines) To(f LogFile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
}

// Reopen is for whoever gets a SIGHUP: later lines go to what has the file's name by then.
func (l *LogLines) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Reopen()
}

// lineHandler writes log records in the shape that users of rclone know:
//
//	2026/11/22 16:00:00 INFO  : path: message key=value
type lineHandler struct {
	out   io.Writer
	level slog.Leveler
	attrs []slog.Attr // of WithAttrs
	group string      // prefix of later keys
	mu    *sync.Mutex // one Write per record
}

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements slog.Handler.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var path, rest strings.Builder
	add := func(a slog.Attr) bool {
		switch {
		case a.Equal(slog.Attr{}):
		case a.Key == "path":
			path.WriteString(text.Line(a.Value.String()) + ": ")
		default:
			rest.WriteString(" " + h.group + a.Key + "=" + logValue(a.Value))
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := r.Time.Format("2006/01/02 15:04:05") + " " + levelName(r.Level) + ": " + path.String() + text.Line(r.Message) + rest.String() + "\n"
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, line)
	return err
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &c
}

// WithGroup implements slog.Handler.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.group += name + "."
	return &c
}

func logValue(v slog.Value) string {
	s := v.Resolve().String()
	if v.Kind() == slog.KindDuration {
		return v.Duration().Round(time.Millisecond).String()
	}
	if s == "" || strings.ContainsAny(s, " \t\n\"=") {
		return strconv.Quote(s)
	}
	return text.Line(s)
}

// levelName is padded to six columns.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG "
	case l < LevelNotice:
		return "INFO  "
	case l < slog.LevelError:
		return "NOTICE"
	}
	return "ERROR "
}

// namedLevel gives the levels of JSON log lines the same names, in rclone's lower case.
func namedLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey {
		if l, ok := a.Value.Any().(slog.Level); ok {
			a.Value = slog.StringValue(strings.ToLower(strings.TrimSpace(levelName(l))))
		}
	}
	return a
}
