package snapshot

import "sync/atomic"

// job is one directory to look at: on disk and in the base, or, if gone, in the base alone.
type job struct {
	path string
	gone bool // it is not on disk: every entry of the base beneath it is absent
	// replaced says that a file took the place of the directory or of one above it: even what is
	// retained beneath cannot stay.
	replaced bool
	self     *Change // what to report about the directory itself once it proves to belong; nil: nothing
	// What its parent knew: its own device and inode, and the device of the parent. Zero for the root.
	dev, ino, outside uint64
	unproven          *unproven // absence beneath proves nothing, because of this
	trail             *trail    // the directories above, if links are followed
	within            scopes    // what is to be looked at beneath; nil: everything
	onTheWay          bool      // it is only on the way to what is within, so nothing is said about itself
}

// trail leads from a directory to the root, so that a followed link that leads back is noticed.
type trail struct {
	dev, ino uint64
	above    *trail
}

// leadsBack reports whether the directory with this device and inode is on the trail.
func (t *trail) leadsBack(dev, ino uint64) bool {
	for ; t != nil; t = t.above {
		if t.dev == dev && t.ino == ino {
			return true
		}
	}
	return false
}

// unproven is an Unproven in the making.
type unproven struct {
	path, reason string
	kept         atomic.Int64
	around       *unproven // the one further up, beneath which this one lies
}

// keep counts one file of the base that was not seen.
func (u *unproven) keep() {
	for ; u != nil; u = u.around {
		u.kept.Add(1)
	}
}
