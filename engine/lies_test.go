package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// A remote that says that it has done something, and has not, is believed: nothing is looked at in the steady state. Whatever
// it did in its stead is found by a verification that reads, and one repair and one run make it good.
func TestLies(t *testing.T) {
	for _, lie := range []enginetest.Lie{enginetest.Nothing, enginetest.Twice, enginetest.Altered} {
		for _, op := range []string{"send", "copy", "touch", "delete"} {
			t.Run(fmt.Sprint(op, lie), func(t *testing.T) {
				caps := rig.FullCaps
				caps.Move, caps.DirMove = false, false // renames are copies
				r := rig.New(t, caps)
				r.Remote.Lenient = true
				r.Fill(6)
				r.Run()
				r.Rename("f00", "renamed")
				r.Stamp("f01", time.Unix(1_600_000_000, 0))
				r.Remove("f02")
				r.Write("new", "something new")
				lied := 0
				r.Remote.Lie = func(o enginetest.Op) enginetest.Lie {
					if o.Name != op {
						return enginetest.Truth
					}
					lied++
					return lie
				}
				if _, err := r.Try(); err != nil || lied == 0 {
					t.Fatalf("%d lies, %v", lied, err)
				}
				r.Remote.Lie = nil
				report := r.Verify(engine.VerifyOptions{Repair: true, Checksum: true})
				if right := lie == enginetest.Twice || lie == enginetest.Altered && op == "delete"; right != report.Clean() {
					t.Errorf("verify says %+v", report)
				}
				r.Run()
				r.Same()
				if again := r.Verify(engine.VerifyOptions{Checksum: true}); !again.Clean() {
					t.Errorf("after the repair: %+v", again)
				}
			})
		}
	}
}

// What somebody else has put in the place of a file gets no other name, and no mtime of ours: the file is sent.
func TestAnotherOrigin(t *testing.T) {
	for name, change := range map[string]func(*remote.Caps){
		"move": func(*remote.Caps) {},
		"copy": func(c *remote.Caps) { c.Move, c.DirMove = false, false },
	} {
		t.Run(name, func(t *testing.T) {
			caps := rig.FullCaps
			change(&caps)
			r := rig.New(t, caps)
			r.Fill(6)
			r.Run()
			r.Remote.Put("f00", "another's", time.Unix(5, 0))
			r.Rename("f00", "renamed")
			r.Remote.Put("f01", "content !", time.Unix(6, 0))
			r.Stamp("f01", time.Unix(1_600_000_000, 0))
			r.Run()
			r.Same()
		})
	}
}

// What a remote cannot keep, or a listing cannot show, is no difference, and a repair sends nothing for it.
func TestVerifyWithoutFalseAlarms(t *testing.T) {
	wraps := rig.FullCaps
	wraps.Precision, wraps.Mtimes = time.Second, remote.MtimeRange{Wraps: true}
	ends := rig.FullCaps
	ends.Mtimes = remote.MtimeRange{From: 0, Until: 1 << 31}
	for name, tt := range map[string]struct {
		caps remote.Caps
		kept func(s int64) int64
	}{
		"wraps": {wraps, func(s int64) int64 { return int64(uint32(s)) }},
		"ends":  {ends, func(s int64) int64 { return max(0, min(s, 1<<31)) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, tt.caps)
			for _, s := range []int64{-1, -1_788_000_000, 1 << 31, 1<<32 + 5, 7_258_118_400, 1_700_000_000} {
				path := fmt.Sprint("f", s)
				r.Write(path, "content")
				r.Stamp(path, time.Unix(s, 0))
			}
			r.Run()
			for _, n := range r.Remote.Tree() {
				r.Remote.Put(n.Path, n.Content, time.Unix(tt.kept(n.Mtime.Unix()), 0))
			}
			if report := r.Verify(engine.VerifyOptions{Repair: true}); !report.Clean() || report.Checked != 6 {
				t.Errorf("got %+v", report)
			}
			if r.Remote.ResetLog(); r.Run().Sent > 0 {
				t.Errorf("sent\n%s", r.Remote.Log())
			}
			r.Remote.Put("f1700000000", "CONTENT", time.Unix(1_700_000_001, 0))
			if report := r.Verify(engine.VerifyOptions{}); len(report.Differs) != 1 {
				t.Errorf("another's file of the same size: %+v", report)
			}
		})
	}
}

// An object beside the directory of its name is told, and a repair neither takes it in nor forgets what is in the directory.
func TestVerifyBesideDirectory(t *testing.T) {
	r := rig.New(t, remote.Caps{Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond})
	r.Write("f/g", "content")
	r.Run()
	r.Remote.Put("f", "beside", time.Unix(5, 0))
	report := r.Verify(engine.VerifyOptions{Repair: true})
	if len(report.Extra) != 1 || report.Extra[0].Path != "f" || len(report.Missing)+len(report.Differs) > 0 {
		t.Errorf("got %+v", report)
	}
	r.Remote.ResetLog()
	if sum := r.Run(); sum.Sent+sum.Deleted+sum.Failed > 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
}

// Filters do not delete what may be younger than a listing tells.
func TestUnknownAge(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		uploaded time.Time
		stays    bool
	}{"young": {now, true}, "old": {now.Add(-time.Hour), false}, "unknown": {time.Time{}, true}} {
		e := snapshot.Entry{Kind: snapshot.File, Flags: snapshot.Adopted}
		if !tt.uploaded.IsZero() {
			e.Ctime = tt.uploaded.UnixNano()
		}
		from, until := e.Modified()
		minAge := func(mtime time.Time) bool { return now.Sub(mtime) >= time.Minute }
		maxAge := func(mtime time.Time) bool { return now.Sub(mtime) <= time.Minute }
		if deletable := minAge(from) && minAge(until); deletable == tt.stays {
			t.Errorf("%s, min-age: between %v and %v", name, from, until)
		}
		if maxAge(from) && maxAge(until) {
			t.Errorf("%s, max-age: between %v and %v", name, from, until)
		}
	}
}
