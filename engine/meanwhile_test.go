package engine_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

var meanwhileSeeds = flag.Uint64("engine.seeds", 1, "how many random stories TestMeanwhileModel tells of each remote")

// TestMeanwhileModel edits while runs look and act, at every point of a run, and then lets one run go through undisturbed:
// the remote must be true to the source, or hold all of it where deletes are retained, and the base must be true to the
// remote, whatever moved while it was folded. With faults the remote fails as well, before or after an operation took effect.
func TestMeanwhileModel(t *testing.T) {
	noDirMove := rig.FullCaps
	noDirMove.DirMove = false
	remotes := crashCaps()
	remotes["no directory move"] = noDirMove
	for name, caps := range remotes {
		for _, mirror := range []bool{true, false} {
			for _, faulty := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/complete-sync=%v/faults=%v", name, mirror, faulty), func(t *testing.T) {
					t.Parallel()
					for seed := range *meanwhileSeeds {
						if meanwhileModel(t, caps, mirror, faulty, seed); t.Failed() {
							return
						}
					}
				})
			}
		}
	}
}

func meanwhileModel(t *testing.T, caps remote.Caps, mirror, faulty bool, seed uint64) {
	r := rig.New(t, caps)
	r.Cfg.CompleteSync, r.Cfg.Approve, r.Cfg.Retries = mirror, !mirror, 1
	if seed%2 == 0 {
		r.Cfg.Transfers, r.Cfg.Scan.Workers = 1, 1
	}
	r.Wrap = takesEmptyFilesUnread
	rng := rand.New(rand.NewPCG(seed, 11))
	r.Edit(rng, 12)
	for round := range 6 {
		r.Upheave(rng, 3)
		for range 1 + rng.IntN(2) {
			disturbed(r, rng, faulty)
		}
		if !mirror { // what is held is shown first, and approved then
			r.Run()
		}
		if sum := r.Run(); sum.Failed > 0 || sum.Held > 0 {
			t.Fatalf("seed %d, round %d: left over: %+v\n%s", seed, round, sum, r.Remote.Log())
		}
		if mirror {
			r.Same()
		} else {
			r.Holds()
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d:\n%s", seed, round, r.Remote.Log())
		}
		r.Quiet()
		r.Remote.ResetLog()
	}
}

// disturbed runs once, while the source is edited a few times.
func disturbed(r *rig.Rig, rng *rand.Rand, faulty bool) {
	r.T.Helper()
	edits, every := 1+rng.IntN(5), 1+rng.IntN(30)
	edit := func() {
		if edits > 0 && rng.IntN(every) == 0 {
			edits--
			r.Upheave(rng, 1+rng.IntN(2))
		}
	}
	var fault func(enginetest.Op) *enginetest.Fault
	if faulty {
		n := rng.IntN(12)
		f := enginetest.Fault{
			When: enginetest.When(rng.IntN(3)),
			Err:  []error{errInjected, remote.ErrOffline, remote.ErrTemporary, remote.ErrNotFound}[rng.IntN(4)],
		}
		fault = func(op enginetest.Op) *enginetest.Fault {
			switch n--; {
			case n != 0:
				return nil
			case op.Name == "stat" && f.Err == remote.ErrNotFound:
				return nil // that would be a lie, which nobody can see through
			case op.Name == "stat" && f.Err == errInjected && !r.Cfg.CompleteSync:
				return nil // what cannot be looked at may be retained, for all that the base knows from then on
			}
			return &f
		}
	}
	end := r.Meanwhile(edit, fault)
	if rng.IntN(3) == 0 { // what the base has and the filter leaves out must come through it all
		r.Cfg.Scan.Filter = without{r.Cfg.Scan.Filter, string(rune('a' + rng.IntN(3)))}
	}
	_, err := r.Try()
	end()
	if err != nil && !(faulty && isInjected(err)) {
		r.T.Fatalf("while it was disturbed: %v\n%s", err, r.Remote.Log())
	}
}

func isInjected(err error) bool {
	return cmp.Or(errors.Is(err, errInjected), errors.Is(err, remote.ErrOffline), errors.Is(err, remote.ErrTemporary), errors.Is(err, remote.ErrNotFound))
}

// An empty file that the remote took without reading it, and that was written to meanwhile, is there all the same: it is
// not left over when the source has it no more.
func TestEmptyFileThatIsWrittenToWhileItIsSent(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Retries = 1
	r.Write("f", "f")
	r.Run()
	r.Wrap = takesEmptyFilesUnread
	r.Write("n", "")
	sent := false
	r.Remote.Done = func(op enginetest.Op) {
		if op.Name == "send" {
			r.Write("n", "no longer empty")
			sent = true
		}
	}
	r.Events = func(ev event.Event) {
		if ev.Type == event.Phase && sent {
			r.Remove("n") // before it is planned once more
		}
	}
	r.Run()
	r.Remote.Done, r.Events = nil, nil
	r.Run()
	r.Same()
}

// takesEmptyFilesUnread stands before a remote that does not read what has no content, as FTP and HTTP do.
func takesEmptyFilesUnread(c remote.Connection) remote.Connection { return &emptyUnread{c} }

type emptyUnread struct{ remote.Connection }

func (c *emptyUnread) Send(ctx context.Context, path string, src remote.Source) error {
	if e := src.Entry(); e.Size == 0 && e.Kind == snapshot.File {
		src = enginetest.Text("", e.ModTime())
	}
	return c.Connection.Send(ctx, path, src)
}

// without is a filter that leaves out one name.
type without struct {
	snapshot.Filter
	name string
}

func (f without) has(path string) bool {
	_, name := snapshot.Split(path)
	return name != f.name
}

func (f without) File(path string, size int64, mtime time.Time) bool {
	return f.Filter.File(path, size, mtime) && f.has(path)
}

func (f without) Dir(path string) bool { return f.Filter.Dir(path) && f.has(path) }
