package engine_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// cancelAfterSend runs until a file was sent, and is cancelled before the engine hears of it.
func (r *rig) cancelAfterSend() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.wrap = func(c remote.Connection) remote.Connection {
		return &wrapped{Connection: c, sent: func(string) { cancel() }}
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.t.Fatalf("want no error or context.Canceled, got %v", err)
	}
	r.wrap = nil
}

// What arrived while the run was cancelled is known to the base, also when the edit is undone.
func TestCancelDuringSendOfAnEditThatIsUndone(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", "AAAA")
	r.run()
	when := r.mtime("f")
	r.write("f", "BBBBBB")
	r.cancelAfterSend()
	r.write("f", "AAAA")
	r.stamp("f", when)
	r.run()
	r.same()
}

// A new file that arrived while the run was cancelled is not left over when the source removes it.
func TestCancelDuringSendOfAFileThatIsRemoved(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("other", "o")
	r.run()
	r.write("f", "BBBBBB")
	r.cancelAfterSend()
	r.remove("f")
	r.run()
	r.same()
}

// The old content was moved to the backups before the send was refused: the base must not claim it.
func TestRefusedSendAfterItsBackup(t *testing.T) {
	caps := fullCaps
	caps.Backup = true
	r := newRig(t, caps)
	r.write("f", "AAAA")
	r.run()
	when := r.mtime("f")
	r.write("f", "BBBBBB")
	r.remote.Fail = every("send", enginetest.Fault{Err: remote.ErrQuota})
	if sum := r.run(); sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrQuota) {
		t.Fatalf("got %+v", sum)
	}
	r.remote.Fail = nil
	r.write("f", "AAAA")
	r.stamp("f", when)
	r.run()
	r.same()
}

// A send that is tried again after its answer was lost does not back up the new content.
func TestRetriedSendKeepsItsBackup(t *testing.T) {
	caps := fullCaps
	caps.Backup = true
	r := newRig(t, caps)
	r.write("f", "first")
	r.run()
	r.write("f", "second")
	lost := false
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "send" || lost {
			return nil
		}
		lost = true
		return &enginetest.Fault{Err: remote.ErrTemporary, When: enginetest.After}
	}
	r.run()
	var got []string
	for _, n := range r.remote.Backups() {
		got = append(got, n.Path+"="+n.Content)
	}
	if diff := gocmp.Diff([]string{"f=first"}, got); diff != "" {
		t.Errorf("backups (-want +got):\n%s\n%s", diff, r.remote.Log())
	}
	r.same()
}

// A path in doubt that cannot even be looked at stops no later run.
func TestPathInDoubtThatCannotBeLookedAt(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.Retries, r.cfg.Transfers = 1, 1
	r.write("bad", "b")
	r.write("good", "g")
	bad := func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "bad" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrInvalidName}
	}
	lose := cut("send", enginetest.Before)
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault { return cmp.Or(bad(op), lose(op)) }
	r.fails(remote.ErrOffline)
	r.remote.Fail = bad
	for n, sent := range []int64{1, 0} {
		sum := r.run()
		if sum.Sent != sent || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrInvalidName) {
			t.Errorf("run %d: got %+v", n, sum)
		}
	}
}

// Without mtimes and hashes nobody knows which of two contents of the same size is there.
func TestDoubtWithoutMtimes(t *testing.T) {
	r := newRig(t, remote.Caps{EmptyDirs: true, Move: true})
	r.cfg.Retries = 1
	r.write("f", "AAAA")
	r.run()
	r.write("f", "BBBB")
	r.stamp("f", time.Now().Add(-time.Hour))
	r.remote.FailNth(1, enginetest.Fault{Err: errInjected})
	if sum := r.run(); sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, errInjected) {
		t.Fatalf("got %+v", sum)
	}
	r.remote.Fail = nil
	r.run()
	r.same()
}

// An edit in the same second as the one in doubt is sent, where the remote keeps whole seconds.
func TestDoubtWithinOneSecond(t *testing.T) {
	caps := fullCaps
	caps.Precision = time.Second
	r := newRig(t, caps)
	r.cfg.Retries = 1
	when := time.Now().Truncate(time.Second).Add(-10 * time.Second)
	r.write("f", "AAAA")
	r.stamp("f", when)
	r.run()
	r.write("f", "BBBB")
	r.stamp("f", when.Add(2100*time.Millisecond))
	r.remote.Fail = cut("send", enginetest.After)
	r.fails(remote.ErrOffline)
	r.remote.Fail = nil
	r.write("f", "CCCC")
	r.stamp("f", when.Add(2500*time.Millisecond))
	r.run()
	r.same()
	if got := strings.Join(r.remoteFiles(), "\n"); !strings.Contains(got, "CCCC") {
		t.Errorf("the remote has %s", got)
	}
}

// What recovery finds to have happened is in the history of cycles, once.
func TestRecoveredStepIsCounted(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.Retries = 1
	r.fill(4)
	r.run()
	r.remove("f00")
	r.remote.Fail = cut("delete", enginetest.After)
	r.fails(remote.ErrOffline)
	r.remote.Fail = nil
	r.run()
	r.same()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		cycles, err := j.Cycles(10)
		must(t, err)
		var deleted int64
		for _, c := range cycles {
			deleted += c.Deleted
		}
		if deleted != 1 {
			t.Errorf("%d deletes in the cycles %+v", deleted, cycles)
		}
	})
}

// One engine may recover in a later run what an earlier run left in doubt, half of it moved, also when
// the listing fails that it needs.
func TestRecoveryGoesOnInTheSameEngine(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.Retries = 1
	r.write("d/x", "content x")
	r.write("d/y", "content y")
	r.write("gone", "g")
	r.run()
	x := r.mtime("d/x")
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		r.rename("d", "e")
		r.remove("gone")
		lose := every("dirmove", enginetest.Fault{Err: errInjected, When: enginetest.After})
		remove := every("delete", enginetest.Fault{Err: errInjected, When: enginetest.After})
		r.remote.Fail = func(op enginetest.Op) *enginetest.Fault { return cmp.Or(lose(op), remove(op)) }
		sum, err := e.Run(context.Background())
		must(t, err)
		if sum.Failed != 2 || !errors.Is(sum.Failures[0].Err, errInjected) || !errors.Is(sum.Failures[1].Err, errInjected) {
			t.Fatalf("got %+v", sum)
		}
		r.remote.Put("d/x", "content x", x) // as if the move had stopped half way
		r.remote.Remove("e/x")
		r.remote.Fail = cut("list", enginetest.Before)
		if _, err := e.Run(context.Background()); !errors.Is(err, remote.ErrOffline) {
			t.Fatalf("want offline, got %v", err)
		}
		r.remote.Fail = nil
		for range 2 {
			_, err := e.Run(context.Background())
			must(t, err)
		}
	})
	r.same()
}

// A swap is cut while one of the files is parked, and then both go: --complete-sync is not set, and
// both are retained.
func TestParkedFileIsRetained(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.CompleteSync = false
	r.cfg.Retries, r.cfg.Transfers = 1, 1
	old := time.Now().Add(-time.Hour)
	r.write("a", "content of a")
	r.write("b", "content of b!")
	r.stamp("a", old)
	r.stamp("b", old)
	r.run()
	r.rename("a", "t")
	r.rename("b", "a")
	r.rename("t", "b")
	moved := 0
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name == "move" {
			moved++
		}
		if moved < 2 {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrOffline}
	}
	r.fails(remote.ErrOffline)
	r.remote.Fail = nil
	r.remove("a")
	r.remove("b")
	r.run()
	var got []string
	for _, n := range r.remote.Tree() {
		got = append(got, n.Content)
	}
	if diff := gocmp.Diff([]string{"content of a", "content of b!"}, sorted(got)); diff != "" {
		t.Errorf("remote (-want +got):\n%s\n%s", diff, r.remote.Log())
	}
}

// A send of a file that keeps size and mtime is in doubt twice: the base must not believe in it.
func TestDoubtTwiceAboutTheSameStat(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.Retries = 1
	r.write("f", "AAAA")
	r.run()
	when := r.mtime("f")
	r.write("f", "BBBB")
	r.stamp("f", when)
	for range 2 {
		r.remote.Fail = cut("send", enginetest.Before)
		r.fails(remote.ErrOffline)
	}
	r.remote.Fail = nil
	r.run()
	r.same()
}

// What the remote lets nobody look at is not taken for gone.
func TestDoubtThatCannotBeLookedAt(t *testing.T) {
	for name, away := range map[string]func(*rig){
		"delete": func(r *rig) { r.remove("f") },
		"move":   func(r *rig) { r.rename("f", "h") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, fullCaps)
			r.cfg.Retries = 1
			r.write("f", "f")
			r.write("g", "g")
			r.run()
			away(r)
			r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
				switch {
				case op.Name == "move":
					return &enginetest.Fault{Err: remote.ErrTemporary}
				case op.Path == "f":
					return &enginetest.Fault{Err: remote.ErrPermission}
				}
				return nil
			}
			for range 2 {
				if _, err := r.try(); err != nil {
					t.Fatal(err)
				}
			}
			r.remote.Fail = nil
			r.run()
			r.same()
		})
	}
}
