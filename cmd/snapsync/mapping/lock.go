package mapping

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

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// lock is held by the one process that a mapping belongs to: flock on the file "lock" in the state
// directory. The kernel drops the lock with the process, however it ends, so there is nothing to
// clean up. The content only tells other processes whom they are waiting for:
//
//	pid 4711
//	since 2026-11-22T16:00:00Z
//	socket /run/user/1000/snapsync/control.sock     where it can be asked, if it stays
//	brief                                           it only writes down what a person decided, or is ending
//
// Who finds it taken waits for a moment (lockTimeout), and longer for one that is brief: `run` that is started
// just when somebody says `pause`, or when another is told to stop, does not fail because of that. In the other
// direction see steer.Do.
type lock struct{ file *flock.Flock }

// Holder is the process that has a mapping.
type Holder struct {
	PID       int // 0: unknown
	Since     time.Time
	Socket    string // "": it cannot be asked
	Transient bool   // it ends by itself, in a moment
}

func (h Holder) String() string {
	if h.PID == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d, since %s", h.PID, text.Time(h.Since))
}

const (
	// lockTimeout bridges the moment in which `status` tests whether the lock is taken.
	lockTimeout = 300 * time.Millisecond
	// transientTimeout is for a holder that is brief. What takes it longest are uploads that may end, and to open and
	// close the journal on a disk that has much else to do.
	transientTimeout = DrainTime + 2*time.Second
	lockRetry        = 20 * time.Millisecond
)

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// takeLock makes this process the owner of the state in dir. The holder says how others see it; its pid
// and since are filled in.
func takeLock(ctx context.Context, dir string, as Holder) (*lock, error) {
	l := &lock{flock.New(lockPath(dir), flock.SetPermissions(0o600))}
	if err := l.await(ctx, dir); err != nil {
		l.release()
		return nil, err
	}
	if err := l.Announce(as); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// Announce says who has the lock. It may be said anew while it is held.
func (l *lock) Announce(as Holder) error {
	content := fmt.Sprintf("pid %d\nsince %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if as.Socket != "" {
		content += "socket " + as.Socket + "\n"
	}
	if as.Transient {
		content += "brief\n"
	}
	if err := os.WriteFile(l.file.Path(), []byte(content), 0o600); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// await takes the lock as soon as nobody has it, and gives up when its holder has had time enough to end.
func (l *lock) await(ctx context.Context, dir string) error {
	for begun := time.Now(); ; {
		ok, err := l.file.TryLock()
		switch {
		case ok && l.there(dir):
			return nil
		case ok, errors.Is(err, fs.ErrNotExist): // who had the lock forgot the mapping
			l.release()
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("make state directory: %w", err)
			}
		case err != nil:
			return fmt.Errorf("lock %s: %w", dir, err)
		}
		h := readHolder(dir)
		if waited := time.Since(begun); waited > transientTimeout || waited > lockTimeout && !h.Transient {
			return LockedBy(h)
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", dir, ctx.Err())
		}
	}
}

// there reports whether the file that this process has locked is the one that others find.
func (l *lock) there(dir string) bool {
	mine, err := l.file.Stat()
	found, ferr := os.Stat(lockPath(dir))
	return err == nil && ferr == nil && os.SameFile(mine, found)
}

func (l *lock) release() { l.file.Close() }

// LockedBy is the error of a command whose mapping another process has.
func LockedBy(h Holder) error {
	who := "another process"
	if h.PID != 0 {
		who = fmt.Sprintf("another process (pid %d, since %s)", h.PID, text.Time(h.Since))
	}
	hint := "wait for it or stop it; 'snapsync plan' and 'snapsync status' work meanwhile"
	if h.Socket != "" {
		hint = "it keeps the mapping up to date: 'snapsync status' shows how, 'snapsync sync' has it look now, 'snapsync stop' ends it"
	}
	return &exit.Failure{Status: exit.StatusLocked, Err: fmt.Errorf("%s has this mapping", who), Hint: hint}
}

// HolderOf tells which process has the state in dir, if one has. It creates nothing.
func HolderOf(dir string) (Holder, bool) {
	if _, err := os.Stat(lockPath(dir)); errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false
	}
	l := flock.New(lockPath(dir), flock.SetFlag(os.O_RDONLY))
	ok, err := l.TryRLock()
	if err != nil {
		return Holder{}, false
	}
	defer l.Close()
	return readHolder(dir), !ok
}

func readHolder(dir string) Holder {
	var h Holder
	content, _ := os.ReadFile(lockPath(dir))
	for line := range strings.Lines(string(content)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "pid":
			h.PID, _ = strconv.Atoi(value)
		case "since":
			h.Since, _ = time.Parse(time.RFC3339, value)
		case "socket":
			h.Socket = value
		case "brief":
			h.Transient = true
		}
	}
	return h
}

// DrainTime bounds how long a process takes from being told to stop to its end.
const DrainTime = 10 * time.Second
