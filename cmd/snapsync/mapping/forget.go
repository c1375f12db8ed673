package mapping

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Forget removes the state of the mapping, unless a process has taken it meanwhile.
func (m *Mapping) Forget() error {
	l := &lock{flock.New(lockPath(m.Dir), flock.SetPermissions(0o600))}
	ok, err := l.file.TryLock()
	if err != nil {
		return fmt.Errorf("lock %s: %w", m.Dir, err)
	}
	defer l.release()
	if !ok || !l.there(m.Dir) {
		return LockedBy(readHolder(m.Dir))
	}
	// The journal by itself first. A crash just after that leaves a directory without one, which is how a mapping
	// without state looks to everybody; a new journal drops the log of one that is gone.
	if err := os.Remove(m.JournalPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget %s: %w", m, err)
	}
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return fmt.Errorf("forget %s: %w", m, err)
	}
	for _, e := range entries {
		path := filepath.Join(m.Dir, e.Name())
		if path == lockPath(m.Dir) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("forget %s: %w", m, err)
		}
	}
	// The lock last, and the directory only if it is empty: whoever waited has it by now, see await. What is left
	// when either fails, as on Windows, where a file that is open cannot be removed, means nothing to anybody.
	if os.Remove(lockPath(m.Dir)) == nil {
		_ = os.Remove(m.Dir)
	}
	return nil
}
