// Package hint says where to look, and when: what a watch, a retry or a person gives the loop, which makes cycles of it.
//
// A Hint is never an instruction, and a lost one costs time, not truth: the periodic scan finds what it was about. A Queue
// keeps hints until they are due: each path for a while in which nothing more happens to it, so that a burst is one look; a
// path that went for longer, since it may be half of a rename. What is done at a path is the engine's affair.
package hint

import "time"

// Hint says that something may have happened at a path: look there.
type Hint struct {
	Path string // relative to the source; "" is the root
	// Deep: anything beneath may differ, as beneath a directory that was made or moved in.
	Deep bool
	// Gone: the path was seen to go. It may be half of a rename, whose other half is still to come.
	Gone bool
}

// Health is how far the hints of a watch can be relied on.
type Health struct {
	Watched   int       // directories that are watched
	Polled    int       // directories that are looked at now and then only; at least so many
	Overflows int64     // how often events were lost and everything was looked at
	Proved    time.Time // when an event was last seen to arrive; zero: never
	Problems  []string  // for a person, each with its remedy
}
