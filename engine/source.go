package engine

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// checkSource compares the root of the source with the one that was snapshotted. An empty directory
// where a disk should be mounted looks like a mass delete: this is what tells them apart.
func (r *run) checkSource() (snapshot.Identity, error) {
	now, err := snapshot.Identify(r.cfg.Scan.Root)
	if err != nil {
		return now, fmt.Errorf("%w: %w", snapshot.ErrSourceGone, err)
	}
	if r.state.Identity == "" || r.decided.NewSourceApproved {
		return now, nil
	}
	var was snapshot.Identity
	if err := json.Unmarshal([]byte(r.state.Identity), &was); err != nil {
		return now, fmt.Errorf("read the source's identity in the journal: %w", err)
	}
	if same, why := now.Same(was); !same {
		return now, fmt.Errorf("%w: %s: %s", ErrNewSource, r.cfg.Scan.Root, why)
	}
	return now, nil
}

// takeSource takes in which file systems the acknowledged tree is made of, and what is held. An approval is for
// one plan, and is used up by the next.
func (r *run) takeSource(head *snapshot.Head, hold *guard.Hold, carries [][2]string) error {
	text, err := json.Marshal(r.source)
	if err != nil {
		return fmt.Errorf("encode the source's identity: %w", err)
	}
	s := &r.state
	s.Identity, s.Mounts = string(text), carryMounts(head.Mounts, carries)
	s.HeldDigest, s.HeldWhy, s.HeldBase = "", "", 0
	if hold != nil {
		s.HeldDigest, s.HeldWhy, s.HeldBase = hold.Digest, hold.Why, hold.Base
	}
	used := journal.Decisions{NewSourceApproved: r.decided.NewSourceApproved}
	if s.HeldDigest != r.decided.ApprovedDigest {
		used.ApprovedDigest = r.decided.ApprovedDigest
	}
	r.use(used)
	return nil
}

// carryMounts expects a file system that is not mounted now also where its directory is moved to: the
// base's files are carried there. If the move does not happen, nothing is at stake at the new path.
func carryMounts(mounts map[string]uint64, carries [][2]string) map[string]uint64 {
	carried := maps.Clone(mounts)
	for _, c := range carries {
		from, to := c[0], c[1]
		for path, id := range mounts {
			if path == from || snapshot.Beneath(path, from) {
				carried[to+path[len(from):]] = id
			}
		}
	}
	return carried
}
