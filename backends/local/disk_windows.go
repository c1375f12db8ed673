package local

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rclone/rclone/lib/file"

	"github.com/snapsync/snapsync/engine/remote"
)

// precision of NTFS mtimes.
func precision(string) time.Duration { return 100 * time.Nanosecond }

// syncDisk does nothing: to flush a volume takes administrator's rights here.
func syncDisk(string) error { return nil }

// reserveFrom is the size from which reserving the space pays, as it keeps large files whole.
const reserveFrom = 1 << 20

// reserve reserves the space for a file, and leaves its size alone: a file without holes is all that there is here.
func reserve(f *os.File, size int64) error {
	if size < reserveFrom {
		return nil
	}
	if err := file.PreAllocate(size, f); errors.Is(err, file.ErrDiskFull) {
		return fmt.Errorf("%w: %w", remote.ErrQuota, err)
	}
	return nil
}
