package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A mapping belongs to one process at a time: the one that has flock'ed the file "lock" in its state
// directory. The kernel drops the lock with the process, however it ends, so there is nothing to
// clean up. The content only tells other processes whom they are waiting for:
//
//	pid 4711
//	since 2026-11-22T16:00:00Z
//	socket /run/user/1000/snapsync/control.sock     where it can be asked, if it stays
type lock struct{ file *flock.Flock }

// holder is the process that has a mapping.
type holder struct {
	pid    int // 0: unknown
	since  time.Time
	socket string // "": it cannot be asked
}

func (h holder) String() string {
	if h.pid == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d, since %s", h.pid, localTime(h.since))
}

// lockPatience bridges the moment in which `status` tests whether the lock is taken.
const lockPatience = 300 * time.Millisecond

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// takeLock makes this process, which can be asked at socket, the owner of the state in dir.
func takeLock(ctx context.Context, dir, socket string) (*lock, error) {
	l := &lock{flock.New(lockPath(dir), flock.SetPermissions(0o600))}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	ok, err := l.file.TryLockContext(ctx, 20*time.Millisecond)
	switch {
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	case !ok:
		return nil, lockedBy(readHolder(dir))
	}
	content := fmt.Sprintf("pid %d\nsince %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if socket != "" {
		content += "socket " + socket + "\n"
	}
	if err := os.WriteFile(lockPath(dir), []byte(content), 0o600); err != nil {
		l.release()
		return nil, fmt.Errorf("write lock: %w", err)
	}
	return l, nil
}

func (l *lock) release() { l.file.Close() }

func lockedBy(h holder) error {
	who := "another process"
	if h.pid != 0 {
		who = fmt.Sprintf("another process (pid %d, since %s)", h.pid, localTime(h.since))
	}
	hint := "wait for it or stop it; 'snapsync plan' and 'snapsync status' work meanwhile"
	if h.socket != "" {
		hint = "it keeps the mapping up to date: 'snapsync status' shows how, 'snapsync sync' has it look now, 'snapsync stop' ends it"
	}
	return &failure{status: statusLocked, err: fmt.Errorf("%s has this mapping", who), hint: hint}
}

// lockHolder tells which process has the state in dir, if one has. It creates nothing.
func lockHolder(dir string) (holder, bool) {
	if _, err := os.Stat(lockPath(dir)); errors.Is(err, fs.ErrNotExist) {
		return holder{}, false
	}
	l := flock.New(lockPath(dir), flock.SetFlag(os.O_RDONLY))
	ok, err := l.TryRLock()
	if err != nil {
		return holder{}, false
	}
	defer l.Close()
	return readHolder(dir), !ok
}

func readHolder(dir string) holder {
	var h holder
	content, _ := os.ReadFile(lockPath(dir))
	for line := range strings.Lines(string(content)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "pid":
			h.pid, _ = strconv.Atoi(value)
		case "since":
			h.since, _ = time.Parse(time.RFC3339, value)
		case "socket":
			h.socket = value
		}
	}
	return h
}
