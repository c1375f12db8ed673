//go:build linux

package main_test

import (
	"strings"
	"testing"
	"time"
)

// TestEndToEndBothWays has rclone and snapsync take turns at one remote. What the one wrote, the other takes for
// its own: rclone compares hashes where the remote has them, and finds nothing to do; snapsync, without any state, adopts
// what is there and sends nothing.
func TestEndToEndBothWays(t *testing.T) {
	p := buildPrograms(t)
	seed := anySeed(t)
	for _, r := range remotes(t) {
		p.bothWays(t, r, seed)
		if r.name == "s3" {
			// The large file of the tree in parts, each program with parts of its own size.
			p.bothWays(t, testRemote{"s3 in parts", strings.Replace(r.path, ":", ",upload_cutoff=5Mi:", 1)}, seed)
		}
	}
}

func (p programs) bothWays(t *testing.T, r testRemote, seed uint64) {
	t.Run(r.name, func(t *testing.T) {
		t.Parallel()
		t.Run("from snapsync", func(t *testing.T) {
			m := p.mapping(t, r, seed)
			if s := m.catchUp(); s.Sent == 0 {
				t.Errorf("nothing was sent: %+v", s)
			}
			m.accelerated(r)
			m.must(m.rclone, "check", "--no-unicode-normalization", m.tree.root, m.remote)
			m.judge()
		})
		t.Run("from rclone", func(t *testing.T) {
			m := p.mapping(t, r, seed)
			m.must(m.rclone, "sync", "--no-unicode-normalization", m.tree.root, m.remote)
			time.Sleep(time.Second) // a file that has just been written could change without showing it
			m.idle()
			m.must(m.snapsync, "verify", "--source", m.tree.root)
			m.tree.mutate(changesPerRound)
			m.catchUp()
			m.judge()
		})
	})
}

// accelerated checks that the remote was not left to the generic Connection where there is a better one.
func (m *testMapping) accelerated(r testRemote) {
	m.t.Helper()
	if !strings.HasPrefix(r.name, "s3") && r.name != "sftp" {
		return
	}
	said := m.must(m.snapsync, "verify", "-v", "--source", m.tree.root)
	if strings.Contains(said, "used through rclone") {
		m.t.Errorf("not accelerated:\n%s", said)
	}
}
