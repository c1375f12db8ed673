package engine

import (
	"encoding/json"
	"fmt"
	"maps"

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
	if r.state.Identity == "" || r.state.NewSourceApproved {
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

// recordSource remembers which file systems the acknowledged tree is made of, and what is held.
// It writes only what differs, so that a run over an unchanged tree does not write here.
func (r *run) recordSource(id snapshot.Identity, head *snapshot.Head, hold *Hold, carries [][2]string) error {
	text, err := json.Marshal(id)
	if err != nil {
		return fmt.Errorf("encode the source's identity: %w", err)
	}
	next := r.state
	next.Identity, next.NewSourceApproved = string(text), false
	next.Mounts = carryMounts(head.Mounts, carries)
	next.HeldDigest, next.HeldWhy, next.HeldBase = "", "", 0
	if hold != nil {
		next.HeldDigest, next.HeldWhy, next.HeldBase = hold.Digest, hold.Why, hold.Base
	}
	if next.HeldDigest != next.ApprovedDigest {
		next.ApprovedDigest = "" // an approval is for one plan and is used up by the next
	}
	if next.Identity == r.state.Identity && !r.state.NewSourceApproved && maps.Equal(next.Mounts, r.state.Mounts) &&
		next.HeldDigest == r.state.HeldDigest && next.HeldWhy == r.state.HeldWhy && next.ApprovedDigest == r.state.ApprovedDigest {
		return nil
	}
	was := r.state
	r.state = next
	return r.cfg.Journal.Update(func(s *journal.State) {
		s.Identity, s.Mounts = next.Identity, next.Mounts
		s.HeldDigest, s.HeldWhy, s.HeldBase = next.HeldDigest, next.HeldWhy, next.HeldBase
		// What a person approved since this run began is for the next one.
		if was.NewSourceApproved {
			s.NewSourceApproved = false
		}
		if s.ApprovedDigest == was.ApprovedDigest {
			s.ApprovedDigest = next.ApprovedDigest
		}
	})
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
