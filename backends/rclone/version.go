package rclone

import (
	"slices"

	"github.com/rclone/rclone/fs"
)

// Version returns the version of rclone inside this program, such as "v1.76.0".
func Version() string { return fs.VersionTag }

// Names returns the names of the rclone backends inside this program, sorted.
func Names() []string {
	var names []string
	for _, r := range fs.Registry {
		if !r.Hide {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
