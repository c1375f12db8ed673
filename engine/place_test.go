package engine_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
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
			r := newRig(t, fullCaps)
			r.remote.Places = []remote.Place{onDisk}
			r.write("a", "one")
			r.write("sub/b", "two")
			r.run()
			r.remote.Places = []remote.Place{test.now}
			if test.empties {
				r.remote.Remove("a")
				r.remote.Remove("sub")
			}
			r.write("c", "three")
			if !test.refused {
				r.run()
				r.same()
				r.quiet()
				return
			}
			before := r.remote.Ops()
			r.fails(remote.ErrNewRemote)
			r.fails(remote.ErrOffline)
			if asked := r.remote.Ops() - before; asked > 2 { // a listing tells an empty disk
				t.Errorf("%d operations on what is not the remote", asked)
			}
			r.with(func(_ *engine.Engine, j *journal.Journal) {
				must(t, j.Update(func(s *journal.State) { s.NewRemoteApproved = true }))
			})
			r.run()
			r.same()
			r.quiet()
		})
	}
}

// TestRemoteWhoseBucketIsGone: another bucket of that name, which would lack what the base says, is made only
// after a person has agreed.
func TestRemoteWhoseBucketIsGone(t *testing.T) {
	r := newRig(t, fullCaps)
	r.remote.Places = []remote.Place{{Path: "the bucket b"}} // it is made by the first run
	r.write("a", "one")
	r.run()
	bucket := remote.Place{Path: "the bucket b", There: true, Root: snapshot.Identity{Ino: 1}}
	r.remote.Places[0] = bucket
	r.write("b", "two")
	r.run()
	remove := func() {
		r.remote.Places[0] = remote.Place{Path: "the bucket b"}
		r.remote.Remove("a")
		r.remote.Remove("b")
		r.write("c", rand.Text())
		r.fails(remote.ErrNewRemote)
		r.fails(remote.ErrNewRemote)
	}
	remove()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		must(t, j.Update(func(s *journal.State) { s.NewRemoteApproved = true }))
	})
	r.run()
	r.same()
	r.remote.Places[0] = bucket
	r.write("d", "four")
	r.run()
	remove()
	r.remote.Places[0] = bucket // a person made it again
	r.run()
	r.same()
	r.quiet()
}

// TestLoopRemoteIsRemoved: what a look at the remote's new directory finds missing is sent at once, although
// only one path was hinted at.
func TestLoopRemoteIsRemoved(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.remote.Places = []remote.Place{onDisk}
		r.write("a", "one")
		r.write("sub/b", "two")
	}, func(t *testing.T, s *stay) {
		again := onDisk
		again.Root.Ino = 3
		s.remote.Places = []remote.Place{again}
		s.remote.Remove("a")
		s.remote.Remove("sub")
		s.write("c", "three")
		s.seen()
		s.pass(5 * time.Second)
		s.same()
	})
}

// TestRemoteThatGoesWhileItIsUsed unmounts the disk in the middle of a run: what was sent after that is
// not taken for sent once the disk is back.
func TestRemoteThatGoesWhileItIsUsed(t *testing.T) {
	r := newRig(t, fullCaps)
	r.remote.Places = []remote.Place{onDisk}
	r.write("a", "one")
	r.run()
	r.write("b", "two")
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		r.remote.Places = []remote.Place{noDisk}
		return nil
	}
	r.run()
	r.remote.Fail = nil
	r.remote.Remove("b") // it went beneath the mount point
	r.write("c", "three")
	r.fails(remote.ErrNewRemote)
	r.remote.Places = []remote.Place{onDisk}
	r.run()
	r.same()
}
