package view

import (
	"strings"
	"sync"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Log keeps the last lines that were written to it. Writing never waits for the view. The zero value is
// ready to use.
type Log struct {
	mu    sync.Mutex
	lines []string // oldest first
}

const logKept = 200

// Write implements io.Writer. One call is one or more whole lines.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(p)) {
		l.lines = append(l.lines, text.Clean(strings.TrimRight(line, "\n")))
	}
	if n := len(l.lines); n > logKept {
		l.lines = append(l.lines[:0], l.lines[n-logKept:]...)
	}
	return len(p), nil
}

// last returns a copy of the last n lines.
func (l *Log) last(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines[len(l.lines)-min(n, len(l.lines)):]...)
}
