//go:build unix && !linux

package backends

import "time"

// precision of mtimes: a microsecond is what all system calls and file systems there keep.
func precision(string) time.Duration { return time.Microsecond }
