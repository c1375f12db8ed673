package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// What arrived while the run was cancelled is known to the base, also when the edit is undone.
func TestCancelDuringSendOfAnEditThatIsUndone(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "AAAA")
	r.Run()
	when := r.Mtime("f")
	r.Write("f", "BBBBBB")
	r.CancelAfterSend()
	r.Write("f", "AAAA")
	r.Stamp("f", when)
	r.Run()
	r.Same()
}

// A new file that arrived while the run was cancelled is not left over when the source removes it.
func TestCancelDuringSendOfAFileThatIsRemoved(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("other", "o")
	r.Run()
	r.Write("f", "BBBBBB")
	r.CancelAfterSend()
	r.Remove("f")
	r.Run()
	r.Same()
}

// The old content was moved to the backups before the send was refused: the base must not claim it.
func TestRefusedSendAfterItsBackup(t *testing.T) {
	caps := rig.FullCaps
	caps.Backup = true
	r := rig.New(t, caps)
	r.Write("f", "AAAA")
	r.Run()
	when := r.Mtime("f")
	r.Write("f", "BBBBBB")
	r.Remote.Fail = rig.Every("send", enginetest.Fault{Err: remote.ErrQuota})
	if sum := r.Run(); sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrQuota) {
		t.Fatalf("got %+v", sum)
	}
	r.Remote.Fail = nil
	r.Write("f", "AAAA")
	r.Stamp("f", when)
	r.Run()
	r.Same()
}

// A send that is tried again after its answer was lost does not back up the new content.
func TestRetriedSendKeepsItsBackup(t *testing.T) {
	caps := rig.FullCaps
	caps.Backup = true
	r := rig.New(t, caps)
	r.Write("f", "first")
	r.Run()
	r.Write("f", "second")
	lost := false
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "send" || lost {
			return nil
		}
		lost = true
		return &enginetest.Fault{Err: remote.ErrTemporary, When: enginetest.After}
	}
	r.Run()
	var got []string
	for _, n := range r.Remote.Backups() {
		got = append(got, n.Path+"="+n.Content)
	}
	if diff := gocmp.Diff([]string{"f=first"}, got); diff != "" {
		t.Errorf("backups (-want +got):\n%s\n%s", diff, r.Remote.Log())
	}
	r.Same()
}

// A path in doubt that cannot even be looked at stops no later run.
func TestPathInDoubtThatCannotBeLookedAt(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Retries, r.Cfg.Transfers = 1, 1
	r.Write("bad", "b")
	r.Write("good", "g")
	bad := func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "bad" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrInvalidName}
	}
	lose := rig.Cut("send", enginetest.Before)
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault { return cmp.Or(bad(op), lose(op)) }
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = bad
	for n, sent := range []int64{1, 0} {
		sum := r.Run()
		if sum.Sent != sent || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrInvalidName) {
			t.Errorf("run %d: got %+v", n, sum)
		}
	}
}

// Without mtimes and hashes nobody knows which of two contents of the same size is there.
func TestDoubtWithoutMtimes(t *testing.T) {
	r := rig.New(t, remote.Caps{EmptyDirs: true, Move: true})
	r.Cfg.Retries = 1
	r.Write("f", "AAAA")
	r.Run()
	r.Write("f", "BBBB")
	r.Stamp("f", time.Now().Add(-time.Hour))
	r.Remote.FailNth(1, enginetest.Fault{Err: errInjected})
	if sum := r.Run(); sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, errInjected) {
		t.Fatalf("got %+v", sum)
	}
	r.Remote.Fail = nil
	r.Run()
	r.Same()
}

// An edit in the same second as the one in doubt is sent, where the remote keeps whole seconds.
func TestDoubtWithinOneSecond(t *testing.T) {
	caps := rig.FullCaps
	caps.Precision = time.Second
	r := rig.New(t, caps)
	r.Cfg.Retries = 1
	when := time.Now().Truncate(time.Second).Add(-10 * time.Second)
	r.Write("f", "AAAA")
	r.Stamp("f", when)
	r.Run()
	r.Write("f", "BBBB")
	r.Stamp("f", when.Add(2100*time.Millisecond))
	r.Remote.Fail = rig.Cut("send", enginetest.After)
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
	r.Write("f", "CCCC")
	r.Stamp("f", when.Add(2500*time.Millisecond))
	r.Run()
	r.Same()
	if got := strings.Join(r.RemoteFiles(), "\n"); !strings.Contains(got, "CCCC") {
		t.Errorf("the remote has %s", got)
	}
}

// What recovery finds to have happened is in the history of cycles, once.
func TestRecoveredStepIsCounted(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Retries = 1
	r.Fill(4)
	r.Run()
	r.Remove("f00")
	r.Remote.Fail = rig.Cut("delete", enginetest.After)
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
	r.Run()
	r.Same()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		cycles, err := j.Cycles(10)
		rig.Must(t, err)
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
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Retries = 1
	r.Write("d/x", "content x")
	r.Write("d/y", "content y")
	r.Write("gone", "g")
	r.Run()
	x := r.Mtime("d/x")
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		r.Rename("d", "e")
		r.Remove("gone")
		lose := rig.Every("dirmove", enginetest.Fault{Err: errInjected, When: enginetest.After})
		remove := rig.Every("delete", enginetest.Fault{Err: errInjected, When: enginetest.After})
		r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault { return cmp.Or(lose(op), remove(op)) }
		sum, err := e.Run(context.Background())
		rig.Must(t, err)
		if sum.Failed != 2 || !errors.Is(sum.Failures[0].Err, errInjected) || !errors.Is(sum.Failures[1].Err, errInjected) {
			t.Fatalf("got %+v", sum)
		}
		r.Remote.Put("d/x", "content x", x) // as if the move had stopped half way
		r.Remote.Remove("e/x")
		r.Remote.Fail = rig.Cut("list", enginetest.Before)
		if _, err := e.Run(context.Background()); !errors.Is(err, remote.ErrOffline) {
			t.Fatalf("want offline, got %v", err)
		}
		r.Remote.Fail = nil
		for range 2 {
			_, err := e.Run(context.Background())
			rig.Must(t, err)
		}
	})
	r.Same()
}

// A swap is cut while one of the files is parked, and then both go: --complete-sync is not set, and
// both are retained.
func TestParkedFileIsRetained(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Cfg.Retries, r.Cfg.Transfers = 1, 1
	old := time.Now().Add(-time.Hour)
	r.Write("a", "content of a")
	r.Write("b", "content of b!")
	r.Stamp("a", old)
	r.Stamp("b", old)
	r.Run()
	r.Rename("a", "t")
	r.Rename("b", "a")
	r.Rename("t", "b")
	moved := 0
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name == "move" {
			moved++
		}
		if moved < 2 {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrOffline}
	}
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
	r.Remove("a")
	r.Remove("b")
	r.Run()
	var got []string
	for _, n := range r.Remote.Tree() {
		got = append(got, n.Content)
	}
	if diff := gocmp.Diff([]string{"content of a", "content of b!"}, rig.Sorted(got)); diff != "" {
		t.Errorf("remote (-want +got):\n%s\n%s", diff, r.Remote.Log())
	}
}

// A send of a file that keeps size and mtime is in doubt twice: the base must not believe in it.
func TestDoubtTwiceAboutTheSameStat(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Retries = 1
	r.Write("f", "AAAA")
	r.Run()
	for range 2 {
		replaceInDoubt(r, "f", "BBBB", r.Mtime("f"))
	}
	r.Run()
	r.Same()
}

// replaceInDoubt gives a file another content and this mtime, and loses the remote when that is sent.
func replaceInDoubt(r *rig.Rig, path, content string, mtime time.Time) {
	r.T.Helper()
	r.Write(path, content)
	r.Stamp(path, mtime)
	r.Remote.Fail = rig.Cut("send", enginetest.Before)
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
}

// A send that keeps size and mtime is in doubt, and before anybody knows more the file goes and is retained: what the base
// does not know is no difference.
func TestDoubtIsRetained(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Write("f", "AAAA")
	r.Run()
	replaceInDoubt(r, "f", "BBBB", r.Mtime("f"))
	r.Remove("f")
	r.Run()
	r.Holds()
}

// The mtime of both contents is the epoch, which is no mtime that the base has.
func TestDoubtAboutAFileOfTheEpoch(t *testing.T) {
	noTimes := rig.FullCaps
	noTimes.SetModTime, noTimes.Precision = false, 0
	for _, caps := range []remote.Caps{rig.FullCaps, noTimes} {
		r := rig.New(t, caps)
		r.Write("f", "AAAA")
		r.Stamp("f", time.Unix(0, 0))
		r.Run()
		replaceInDoubt(r, "f", "BBBB", time.Unix(0, 0))
		r.Run()
		r.Same()
	}
}

// What the remote lets nobody look at is not taken for gone.
func TestDoubtThatCannotBeLookedAt(t *testing.T) {
	for name, away := range map[string]func(*rig.Rig){
		"delete": func(r *rig.Rig) { r.Remove("f") },
		"move":   func(r *rig.Rig) { r.Rename("f", "h") },
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, rig.FullCaps)
			r.Cfg.Retries = 1
			r.Write("f", "f")
			r.Write("g", "g")
			r.Run()
			away(r)
			r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
				switch {
				case op.Name == "move":
					return &enginetest.Fault{Err: remote.ErrTemporary}
				case op.Path == "f":
					return &enginetest.Fault{Err: remote.ErrPermission}
				}
				return nil
			}
			for range 2 {
				if _, err := r.Try(); err != nil {
					t.Fatal(err)
				}
			}
			r.Remote.Fail = nil
			r.Run()
			r.Same()
		})
	}
}

// Whatever was in doubt, and whichever of its paths the remote lets nobody look at: the base goes on to know of all that the
// remote may hold, and what the source has no more is deleted in the end.
func TestDoubtThatCannotBeLookedAtLeavesNothing(t *testing.T) {
	byCopy := remote.Caps{Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100}
	for name, story := range map[string]struct {
		caps   remote.Caps
		edit   func(*rig.Rig)
		op     string   // is done, and its answer lost
		paths  []string // of which one cannot be looked at
		remove []string // from the source, before anybody looks
	}{
		"new file":     {rig.FullCaps, func(r *rig.Rig) { r.Write("n", "new") }, "send", []string{"n"}, []string{"n"}},
		"empty file":   {rig.FullCaps, func(r *rig.Rig) { r.Write("n", "") }, "send", []string{"n"}, nil},
		"edited file":  {rig.FullCaps, func(r *rig.Rig) { r.Write("f", "edited") }, "send", []string{"f"}, []string{"f"}},
		"rename":       {rig.FullCaps, func(r *rig.Rig) { r.Rename("f", "h") }, "move", []string{"f", "h"}, []string{"h"}},
		"kept rename":  {rig.FullCaps, func(r *rig.Rig) { r.Rename("f", "h") }, "move", []string{"f", "h"}, nil},
		"directory":    {rig.FullCaps, func(r *rig.Rig) { r.Rename("d", "e") }, "dirmove", []string{"d", "e", "e/x"}, []string{"e"}},
		"copy":         {byCopy, func(r *rig.Rig) { r.Rename("f", "h") }, "copy", []string{"f", "h"}, []string{"h"}},
		"kept copy":    {byCopy, func(r *rig.Rig) { r.Rename("f", "h") }, "copy", []string{"f", "h"}, nil},
		"in a bucket":  {byCopy, func(r *rig.Rig) { r.Write("n", "new") }, "send", []string{"n"}, []string{"n"}},
		"delete":       {rig.FullCaps, func(r *rig.Rig) { r.Remove("f") }, "delete", []string{"f"}, nil},
		"made over it": {rig.FullCaps, func(r *rig.Rig) { r.Remove("d"); r.Write("d", "a file") }, "send", []string{"d"}, []string{"d"}},
	} {
		for _, hidden := range story.paths {
			for _, why := range []error{remote.ErrPermission, errInjected} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, hidden, why), func(t *testing.T) {
					r := rig.New(t, story.caps)
					r.Cfg.Retries, r.Cfg.Transfers = 1, 1
					for path, content := range map[string]string{"f": "ff", "g": "ggg", "d/x": "xxxx", "d/y": "yyyyy"} {
						r.Write(path, content)
					}
					r.Run()
					story.edit(r)
					r.Remote.Fail = rig.Cut(story.op, enginetest.After)
					r.Fails(remote.ErrOffline)
					for _, path := range story.remove {
						r.Remove(path)
					}
					asked := 0
					r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
						if op.Name != "stat" || op.Path != hidden {
							return nil
						}
						asked++
						return &enginetest.Fault{Err: why}
					}
					if _, err := r.Try(); err != nil || asked == 0 {
						t.Fatalf("%v, after %d looks at %s\n%s", err, asked, hidden, r.Remote.Log())
					}
					r.Remote.Fail = nil
					if sum := r.Run(); sum.Failed > 0 {
						t.Fatalf("got %+v\n%s", sum, r.Remote.Log())
					}
					if r.Same(); t.Failed() {
						t.Log(r.Remote.Log())
					}
				})
			}
		}
	}
}
