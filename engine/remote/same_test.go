package remote

import (
	"math"
	"testing"
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// mtimes are what a remote holds, the local mtime beside it, and what each of the two rules must say:
// SameMtime, on which a file is believed to be unchanged without being read, and MayHold, on which the
// remote is believed to hold what it was given.
var mtimes = []struct {
	precision time.Duration
	held, now time.Duration // since 1970
	same, may bool
	why       string
}{
	{time.Second, 5e9, 5e9, true, true, "nothing to tell apart"},
	{time.Second, 5e9, 5e9 + 1, true, true, "the remote dropped a nanosecond"},
	{time.Second, 5e9, 6e9 - 1, true, true, "the last nanosecond that a remote which truncates makes 5 s of"},
	{time.Second, 5e9, 6e9, false, false, "whatever it does to the fraction, it would hold 6 s"},
	{time.Second, 6e9, 5.9999e9, false, true, "made by a remote that rounds; one that truncates had another file, which was replaced by an older one"},
	{time.Second, 6e9, 5.5e9, false, true, "half-way is rounded up"},
	{time.Second, 6e9, 5e9 + 1, false, true, "made by a remote that rounds up, as FAT does on Windows"},
	{time.Second, 6e9, 5e9, false, false, "a whole second has no fraction to be rounded"},
	{time.Second, 5.25e9, 5.75e9, true, true, "it shows more than it promises to keep"},
	{time.Second, 5.75e9, 6.25e9, false, true, "the same, and a second begins in between"},
	{2 * time.Second, 6e9, 8e9 - 1, true, true, "the last nanosecond of two seconds"},
	{2 * time.Second, 6e9, 8e9, false, false, "the next two seconds"},
	{2 * time.Second, 6e9, 5e9, false, true, "half-way is rounded up"},
	{2 * time.Second, 6e9, 4e9, false, false, "an even second has nothing to be rounded"},
	{2 * time.Second, 7e9, 6.5e9, true, true, "it shows more than it promises to keep"},
	{time.Microsecond, 5000, 5999, true, true, "the last nanosecond of a microsecond"},
	{time.Microsecond, 5000, 6000, false, false, "the next microsecond"},
	{time.Microsecond, 6000, 5999, false, true, "rounded"},
	{time.Microsecond, 6000, 5000, false, false, "a whole microsecond"},
	{1, 5, 5, true, true, "in full"},
	{1, 5, 6, false, false, "in full: nothing is rounded"},
	{1, 6, 5, false, false, "in full: nothing is rounded"},
	{time.Second, -2e9, -1.5e9, true, true, "before 1970 truncating goes down as well"},
	{time.Second, -2e9, -1e9 - 1, true, true, "the last nanosecond of that second"},
	{time.Second, -1e9, -1.5e9, false, true, "rounded, or cut towards 1970"},
	{time.Second, -2e9, -1e9, false, false, "the next second"},
	{time.Second, 0, -1, false, true, "1969 is another second than 1970"},
	{time.Second, 0, 1e9 - 1, true, true, "the first second of 1970"},
	{2 * time.Second, -2e9, -1, true, true, "the last two seconds of 1969"},
	{0, 5e9, 9e15, true, true, "a remote that keeps no mtime says nothing against any"},
	{-1, 5e9, 9e15, true, true, "nor does one that is not known to keep any"},
	{time.Second, math.MinInt64, math.MaxInt64, false, false, "six centuries, which is more than an int64 of nanoseconds holds"},
	{time.Second, math.MinInt64, math.MinInt64, true, true, "the earliest there is"},
	{math.MaxInt64, math.MinInt64, math.MaxInt64, false, false, "as coarse as can be, and further apart than that"},
}

func TestMtimes(t *testing.T) {
	for _, tt := range mtimes {
		c := &Caps{Precision: tt.precision}
		held, now := &snapshot.Entry{Mtime: int64(tt.held)}, &snapshot.Entry{Mtime: int64(tt.now)}
		if got := c.SameMtime(held, now); got != tt.same {
			t.Errorf("precision %v, %d and %d: SameMtime is %v: %s", tt.precision, tt.held, tt.now, got, tt.why)
		}
		if got := c.SameMtime(now, held); got != tt.same {
			t.Errorf("precision %v, %d and %d: SameMtime depends on the order", tt.precision, tt.now, tt.held)
		}
		if got := c.MayHold(held.Mtime, now.Mtime); got != tt.may {
			t.Errorf("precision %v, %d for %d: MayHold is %v: %s", tt.precision, tt.held, tt.now, got, tt.why)
		}
	}
}

// remotes are the ways in which a remote may make a multiple of its precision of an mtime.
var remotes = map[string]func(ns, p int64) int64{
	"truncates":         func(ns, p int64) int64 { return Truncate(ns, time.Duration(p)) },
	"rounds":            func(ns, p int64) int64 { return Truncate(ns+p/2, time.Duration(p)) },
	"rounds up":         func(ns, p int64) int64 { return Truncate(ns+p-1, time.Duration(p)) },
	"cuts to the epoch": func(ns, p int64) int64 { return ns - ns%p },
}

// TestMtimesOfRemotes holds the rules to what they are for, over mtimes around the boundaries: no remote is
// taken to hold something else than it was given, or it would be given it again and again; and on one that
// truncates, as nearly all do, SameMtime never takes an mtime for one that the remote shows differently.
func TestMtimesOfRemotes(t *testing.T) {
	for _, p := range []int64{1, 100, 1e3, 1e6, 1e9, 2e9} {
		var around []int64
		for _, quantum := range []int64{-3, -2, -1, 0, 1, 2, 3} {
			for _, off := range []int64{-p / 2, -1, 0, 1, p/2 - 1, p / 2, p / 10000} {
				around = append(around, quantum*p+off)
			}
		}
		c := &Caps{Precision: time.Duration(p)}
		for kind, hold := range remotes {
			for _, a := range around {
				if held := hold(a, p); !c.MayHold(held, a) {
					t.Errorf("precision %d: a remote that %s holds %d for %d, and is taken to hold something else", p, kind, held, a)
				}
				for _, b := range around {
					held, now := &snapshot.Entry{Mtime: hold(a, p)}, &snapshot.Entry{Mtime: b}
					same := c.SameMtime(held, now)
					if same && !c.MayHold(held.Mtime, b) {
						t.Errorf("precision %d: %d and %d are the same, but the remote cannot hold one for the other", p, held.Mtime, b)
					}
					if kind == "truncates" && same != (hold(a, p) == hold(b, p)) {
						t.Errorf("precision %d: %d, which is held as %d, and %d, which would be as %d: SameMtime is %v", p, a, hold(a, p), b, hold(b, p), same)
					}
				}
			}
		}
	}
}

func TestContradicts(t *testing.T) {
	base := snapshot.Entry{Kind: snapshot.File, Size: 3, Mtime: 1e18, HashType: snapshot.XXH3, Hash: snapshot.Hash{1}}
	with := func(change func(*snapshot.Entry)) *snapshot.Entry {
		e := base
		e.HashType, e.Hash = snapshot.NoHash, snapshot.Hash{}
		change(&e)
		return &e
	}
	timed := Caps{Precision: time.Second, SetModTime: true}
	for name, tt := range map[string]struct {
		caps  Caps
		there *snapshot.Entry
		want  bool
	}{
		"same":               {timed, with(func(*snapshot.Entry) {}), false},
		"size":               {timed, with(func(e *snapshot.Entry) { e.Size++ }), true},
		"kind":               {timed, with(func(e *snapshot.Entry) { e.Kind = snapshot.Symlink }), true},
		"mtime":              {timed, with(func(e *snapshot.Entry) { e.Mtime += 1e9 }), true},
		"rounded":            {timed, with(func(e *snapshot.Entry) { e.Mtime += 1e9 - 1 }), false},
		"unknown mtime":      {timed, with(func(e *snapshot.Entry) { e.Mtime = 0 }), false},
		"mtimes not kept":    {Caps{}, with(func(e *snapshot.Entry) { e.Mtime += 1e15 }), false},
		"mtimes not set":     {Caps{Precision: 1}, with(func(e *snapshot.Entry) { e.Mtime += 1e15 }), false},
		"hash":               {timed, with(func(e *snapshot.Entry) { e.HashType, e.Hash = snapshot.XXH3, snapshot.Hash{2} }), true},
		"same hash, touched": {timed, with(func(e *snapshot.Entry) { e.Mtime++; e.HashType, e.Hash = snapshot.XXH3, base.Hash }), false},
	} {
		if got := tt.caps.Contradicts(&base, tt.there); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if timed.Contradicts(nil, &base) {
		t.Error("nothing is known, and contradicted")
	}
}

func TestTruncateRoundsDown(t *testing.T) {
	for _, c := range []struct {
		ns   int64
		to   time.Duration
		want int64
	}{
		{0, time.Second, 0},
		{1_999_999_999, time.Second, 1_000_000_000},
		{3_000_000_000, 2 * time.Second, 2_000_000_000},
		{-1, time.Second, -1_000_000_000}, // a moment before 1970
		{-1_000_000_000, time.Second, -1_000_000_000},
		{7, 1, 7},
	} {
		if got := Truncate(c.ns, c.to); got != c.want {
			t.Errorf("truncate(%d, %v) = %d, want %d", c.ns, c.to, got, c.want)
		}
	}
}
