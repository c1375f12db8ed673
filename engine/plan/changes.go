package plan

import (
	"slices"

	"github.com/snapsync/snapsync/snapshot"
)

// Changed reports whether path is in changes, which are sorted.
func Changed(changes []snapshot.Change, path string) bool { return Find(changes, path) != nil }

// Find returns the change of path in changes, which are sorted; nil if there is none.
func Find(changes []snapshot.Change, path string) *snapshot.Change {
	i, found := slices.BinarySearchFunc(changes, path, func(c snapshot.Change, p string) int {
		return snapshot.ComparePaths(c.Path, p)
	})
	if !found {
		return nil
	}
	return &changes[i]
}
