package snapshot

import "time"

// How far a stamp must lie in the past before it is trusted. Linux takes stamps from a clock that
// ticks every few milliseconds (1 to 10, by its build): all writes within one tick get the same
// stamp, and 500 quick writes showed 6 different ones. FAT keeps 2 s and some others 1 s; nothing
// says that a stamp is from one of those, except that it has no part below the second.
const (
	fineWindow   = 100 * time.Millisecond
	coarseWindow = 2 * time.Second
)

// racy reports whether a file that shows e could be written to after observed without e showing it.
//
// A stamp s covers writes from s to s+window. If observed lies after that, every later write gets a
// later stamp. If it does not, a later write may get s again. Hence s > observed-window is racy. An
// earlier observed makes more stamps racy and never fewer, so the time may be taken once, before the
// first of many stats, or before a file is opened, to be read from then on; a time taken afterwards
// would call stamps old that were not when the bytes were read.
//
// A ctime in the future is racy however far: the clock was set back, and will come past that moment
// again. An mtime far in the future is not: somebody chose it, and the clock will not
// reach it soon. A file system whose server has a clock that is late by more than the window
// escapes this rule; then the size, the inode, and --checksum remain.
func racy(e *Entry, observed time.Time) bool {
	window := fineWindow
	if e.Mtime%int64(time.Second) == 0 && e.Ctime%int64(time.Second) == 0 {
		window = coarseWindow
	}
	from, to := observed.Add(-window).UnixNano(), observed.Add(window).UnixNano()
	return e.Ctime >= from || e.Mtime >= from && e.Mtime <= to
}
