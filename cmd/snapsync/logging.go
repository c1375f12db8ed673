package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// levelNotice lies between info and warning: what is worth saying without -v. It has rclone's number.
const levelNotice = slog.Level(2)

// screen is where lines for people go while something else may be drawing on the terminal: above the
// live view if there is one, straight to stderr otherwise.
type screen struct {
	mu   sync.Mutex
	out  io.Writer
	live io.Writer // nil: none
}

// Write implements io.Writer. One call is one or more whole lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return s.live.Write(p)
	}
	return s.out.Write(p)
}

// over makes w the place for lines until the returned function is called.
func (s *screen) over(w io.Writer) (restore func()) {
	set := func(w io.Writer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.live = w
	}
	set(w)
	return func() { set(nil) }
}

// openLog sets up the log as the flags say. The returned function ends it.
func (a *app) openLog() (func(), error) {
	level, err := a.logLevel()
	if err != nil {
		return nil, err
	}
	a.screen = &screen{out: a.stderr}
	a.lines = &logLines{screen: a.screen}
	a.lines.level.Set(level)
	if a.LogFile != "" {
		f, err := newLogFile(a.LogFile, &a.rotationFlags)
		if err != nil {
			return nil, err
		}
		a.lines.to(f)
	}
	if a.UseJSONLog {
		a.log = slog.New(slog.NewJSONHandler(a.lines, &slog.HandlerOptions{Level: &a.lines.level, ReplaceAttr: namedLevel}))
	} else {
		a.log = slog.New(&lineHandler{out: a.lines, level: &a.lines.level, mu: &sync.Mutex{}})
	}
	return func() { a.lines.to(nil) }, nil
}

// logLines is which log lines are written, and where to. Both can be changed beneath all loggers.
type logLines struct {
	level  slog.LevelVar
	screen *screen

	mu   sync.Mutex
	file logFile // of --log-file; nil: the screen
}

// Write implements io.Writer. One call is one or more whole lines.
func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		return l.file.Write(p)
	}
	return l.screen.Write(p)
}

// to makes later lines go to f; nil: to the screen.
func (l *logLines) to(f logFile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
}

// reopen is for whoever gets a SIGHUP: later lines go to what has the file's name by then.
func (l *logLines) reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.reopen()
}

// logLevel is --log-level, else what -v and -q say.
func (g *globals) logLevel() (slog.Level, error) {
	switch strings.ToUpper(g.LogLevel) {
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "NOTICE":
		return levelNotice, nil
	case "ERROR":
		return slog.LevelError, nil
	case "":
		return g.verbosity(), nil
	}
	return 0, exit.Usage("DEBUG, INFO, NOTICE and ERROR are known", "unknown log level %q", g.LogLevel)
}

func (g *globals) verbosity() slog.Level {
	switch {
	case g.Quiet:
		return slog.LevelError
	case g.Verbose >= 2:
		return slog.LevelDebug
	case g.Verbose == 1:
		return slog.LevelInfo
	}
	return levelNotice
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
			path.WriteString(a.Value.String() + ": ")
		default:
			rest.WriteString(" " + h.group + a.Key + "=" + logValue(a.Value))
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := r.Time.Format("2006/01/02 15:04:05") + " " + levelName(r.Level) + ": " + path.String() + r.Message + rest.String() + "\n"
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
	return s
}

// levelName is padded to six columns.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG "
	case l < levelNotice:
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

// isTerminal reports whether w is one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
