package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// LogFile is where log lines go with --log-file. A Write is one or more whole lines.
type LogFile interface {
	io.WriteCloser
	// Reopen makes later lines go to whatever has the file's name by then, as somebody else may
	// have moved the file away. After an error lines go where they went before.
	Reopen() error
}

// Rotation says when a log file is renamed and a new one begun. The zero value: never.
type Rotation struct {
	MaxBytes   int64         // the file's size; 0: it does not rotate
	MaxAge     time.Duration // of old files; 0: they are kept for ever
	MaxBackups int           // old files; 0: all are kept
	Compress   bool          // old files
}

// NewLogFile opens or creates path. Other users cannot read it: it names files. One that rotates makes
// its directory as well, as it has to whenever somebody takes that away.
func NewLogFile(path string, r Rotation) (LogFile, error) {
	var err error
	if r.MaxBytes > 0 {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	plain := &plainLog{path: path}
	if err = errors.Join(err, plain.Reopen()); err != nil {
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "name another with --log-file"}
	}
	if r.MaxBytes == 0 {
		return plain, nil
	}
	// The library counts in MiB and in days, so what is asked for is rounded, up where it would be none: as in rclone.
	return &rotatedLog{lumberjack.Logger{
		Filename:   path,
		MaxSize:    atLeastOne(float64(r.MaxBytes) / (1 << 20)),
		MaxAge:     atLeastOne(r.MaxAge.Hours() / 24),
		MaxBackups: r.MaxBackups,
		Compress:   r.Compress,
		LocalTime:  true,
	}}, plain.Close()
}

// atLeastOne rounds x, but what is above 0 to no less than 1.
func atLeastOne(x float64) int {
	if x <= 0 {
		return 0
	}
	return max(1, int(x+0.5))
}

// plainLog is a file that only grows.
type plainLog struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// Write implements io.Writer.
func (l *plainLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// Reopen implements LogFile.
func (l *plainLog) Reopen() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	return nil
}

// Close implements io.Closer.
func (l *plainLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// rotatedLog renames the file when it is full and begins a new one.
type rotatedLog struct{ lumberjack.Logger }

// Reopen lets go of the file; the next line opens it by name.
func (l *rotatedLog) Reopen() error { return l.Logger.Close() }
