package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// rotationFlags keep the log file from growing for ever. Names and meanings are rclone's.
type rotationFlags struct {
	LogFileMaxSize    string `group:"output" placeholder:"SIZE" help:"Rotate the log file when it reaches this size, such as 10M. Default: never."`
	LogFileMaxBackups int    `group:"output" placeholder:"N" help:"Old log files to keep. Default: all."`
	LogFileMaxAge     string `group:"output" placeholder:"AGE" help:"How long to keep old log files, such as 7d. Default: for ever."`
	LogFileCompress   bool   `group:"output" help:"Compress old log files."`
}

// logFile is where log lines go with --log-file. A Write is one or more whole lines.
type logFile interface {
	io.WriteCloser
	// reopen makes later lines go to whatever has the file's name by then, as somebody else may
	// have moved the file away. After an error lines go where they went before.
	reopen() error
}

// newLogFile opens or creates path. Other users cannot read it: it names files. One that rotates makes
// its directory as well, as it has to whenever somebody takes that away.
func newLogFile(path string, f *rotationFlags) (logFile, error) {
	rotated, err := f.rotated(path)
	if err != nil {
		return nil, err
	}
	if rotated != nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	plain := &plainLog{path: path}
	if err = errors.Join(err, plain.reopen()); err != nil {
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "name another with --log-file"}
	}
	if rotated != nil {
		return rotated, plain.Close()
	}
	return plain, nil
}

// rotated is nil if nothing is rotated. The library counts in MiB and in days, so what is asked for is
// rounded, up where it would be none: as in rclone.
func (f *rotationFlags) rotated(path string) (*rotatedLog, error) {
	size := int64(-1)
	if f.LogFileMaxSize != "" {
		var err error
		if size, err = rclone.ParseSize(f.LogFileMaxSize); err != nil {
			return nil, exit.Usage("for instance 10M, or off", "--log-file-max-size: %w", err)
		}
	}
	var age time.Duration
	if f.LogFileMaxAge != "" {
		var err error
		if age, err = rclone.ParseAge(f.LogFileMaxAge); err != nil {
			return nil, exit.Usage("for instance 7d", "--log-file-max-age: %w", err)
		}
	}
	if f.LogFileMaxBackups < 0 {
		return nil, exit.Usage("0 keeps all", "--log-file-max-backups %d: want a number from 0 up", f.LogFileMaxBackups)
	}
	if size < 0 {
		return nil, nil
	}
	return &rotatedLog{lumberjack.Logger{
		Filename:   path,
		MaxSize:    atLeastOne(float64(size) / (1 << 20)),
		MaxAge:     atLeastOne(age.Hours() / 24),
		MaxBackups: f.LogFileMaxBackups,
		Compress:   f.LogFileCompress,
		LocalTime:  true,
	}}, nil
}

// check refuses what cannot be a rotation.
func (f *rotationFlags) check() error {
	_, err := f.rotated("")
	return err
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

func (l *plainLog) reopen() error {
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

// reopen lets go of the file; the next line opens it by name.
func (l *rotatedLog) reopen() error { return l.Logger.Close() }
