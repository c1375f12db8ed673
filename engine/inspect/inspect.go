// Package inspect answers what a person asks of a mapping: why a path is as it is (Explain), and whether the remote holds what
// the base says (Compare). Neither changes anything; Report.Repair corrects the base by what was found.
package inspect

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Config is the mapping that is asked about.
type Config struct {
	Journal                *journal.Journal
	Scan                   snapshot.Config
	CompleteSync, Metadata bool // as in engine.Config

	// What follows is for Compare.
	Conn  remote.Connection
	Caps  remote.Caps
	Phase func(text string) // is told what is done now
}

// excluded reports whether the filter keeps path out of the mapping, itself or by a directory above.
func excluded(filter snapshot.Filter, path string, entry *snapshot.Entry) bool {
	if filter == nil {
		return false
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if !filter.Dir(dir) {
			return true
		}
	}
	if entry.Kind == snapshot.Dir {
		return !filter.Dir(path)
	}
	from, until := entry.Modified()
	return !filter.File(path, entry.Size, from) || from != until && !filter.File(path, entry.Size, until)
}
