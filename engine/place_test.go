package engine_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

var (
	onDisk  = remote.Place{Path: "/mnt/work", Mount: "/mnt", FSID: 7, There: true, Root: snapshot.Identity{Ino: 2, FSID: 7}}
	noDisk  = remote.Place{Path: "/mnt/work", Mount: "/", FSID: 1}
	another = remote.Place{Path: "/mnt/work", Mount: "/mnt", FSID: 8, There: true, Root: snapshot.Identity{Ino: 2, FSID: 8}}
)

// TestRemoteWhoseDiskIsNotThere gives a run a remote that is somewhere else than before, or nowhere.
func TestRemoteWhoseDiskIsNotThere(t *testing.T) {
	elsewhere, removed, again := onDisk, onDisk, onDisk
	elsewhere.Mount, elsewhere.FSID = "/", 1
	removed.There, removed.Root = false, snapshot.Identity{}
	again.Root.Ino = 3
	otherWithout := another
	otherWithout.There, otherWithout.Root = false, snapshot.Identity{}
	for _, test := range []struct {
		name    string
		now     remote.Place
		empties bool // what is there now holds nothing
		refused bool
	}{
		{name: "as before", now: onDisk},
		{name: "not mounted", now: noDisk, empties: true, refused: true},
		{name: "not mounted, with a directory of that name beneath", now: elsewhere, refused: true},
		{name: "another disk without the directory", now: otherWithout, empties: true, refused: true},
		{name: "another disk with the directory, empty", now: another, empties: true, refused: true},
		{name: "another disk with the same files", now: another},
		{name: "the directory was removed", now: removed, empties: true},
		{name: "the directory was made again", now: again, empties: true},
		{name: "the directory was restored", now: again},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rig.New(t, rig.FullCaps)
			r.Remote.Places = []remote.Place{onDisk}
			r.Write("a", "one")
			r.Write("sub/b", "two")
			r.Run()
			r.Remote.Places = []remote.Place{test.now}
			if test.empties {
				r.Remote.Remove("a")
				r.Remote.Remove("sub")
			}
			r.Write("c", "three")
			if !test.refused {
				r.Run()
				r.Same()
				r.Quiet()
				return
			}
			before := r.Remote.Ops()
			r.Fails(remote.ErrNewRemote)
			r.Fails(remote.ErrOffline)
			if asked := r.Remote.Ops() - before; asked > 2 { // a listing tells an empty disk
				t.Errorf("%d operations on what is not the remote", asked)
			}
			r.With(func(_ *engine.Engine, j *journal.Journal) {
				rig.Must(t, journal.Update(j, func(s *journal.Decisions) { s.NewRemoteApproved = true }))
			})
			r.Run()
			r.Same()
			r.Quiet()
		})
	}
}

// TestRemoteWhoseBucketIsGone: another bucket of that name, which would lack what the base says, is made only
// after a person has agreed.
func TestRemoteWhoseBucketIsGone(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Remote.Places = []remote.Place{{Path: "the bucket b"}} // it is made by the first run
	r.Write("a", "one")
	r.Run()
	bucket := remote.Place{Path: "the bucket b", There: true, Root: snapshot.Identity{Ino: 1}}
	r.Remote.Places[0] = bucket
	r.Write("b", "two")
	r.Run()
	remove := func() {
		r.Remote.Places[0] = remote.Place{Path: "the bucket b"}
		r.Remote.Remove("a")
		r.Remote.Remove("b")
		r.Write("c", rand.Text())
		r.Fails(remote.ErrNewRemote)
		r.Fails(remote.ErrNewRemote)
	}
	remove()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		rig.Must(t, journal.Update(j, func(s *journal.Decisions) { s.NewRemoteApproved = true }))
	})
	r.Run()
	r.Same()
	r.Remote.Places[0] = bucket
	r.Write("d", "four")
	r.Run()
	remove()
	r.Remote.Places[0] = bucket // a person made it again
	r.Run()
	r.Same()
	r.Quiet()
}

// TestLoopRemoteIsRemoved: what a look at the remote's new directory finds missing is sent at once, although
// only one path was hinted at.
func TestLoopRemoteIsRemoved(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Remote.Places = []remote.Place{onDisk}
		r.Write("a", "one")
		r.Write("sub/b", "two")
	}, func(t *testing.T, s *rig.Stay) {
		again := onDisk
		again.Root.Ino = 3
		s.Remote.Places = []remote.Place{again}
		s.Remote.Remove("a")
		s.Remote.Remove("sub")
		s.Write("c", "three")
		s.Seen()
		s.Pass(5 * time.Second)
		s.Same()
	})
}

// TestRemoteThatGoesWhileItIsUsed unmounts the disk in the middle of a run: what was sent after that is
// not taken for sent once the disk is back.
func TestRemoteThatGoesWhileItIsUsed(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Remote.Places = []remote.Place{onDisk}
	r.Write("a", "one")
	r.Run()
	r.Write("b", "two")
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		r.Remote.Places = []remote.Place{noDisk}
		return nil
	}
	r.Run()
	r.Remote.Fail = nil
	r.Remote.Remove("b") // it went beneath the mount point
	r.Write("c", "three")
	r.Fails(remote.ErrNewRemote)
	r.Remote.Places = []remote.Place{onDisk}
	r.Run()
	r.Same()
}
