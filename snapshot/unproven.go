package snapshot

import "sync/atomic"

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
