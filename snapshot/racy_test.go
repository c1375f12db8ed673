package snapshot

import (
	"testing"
	"time"
)

func TestRacy(t *testing.T) {
	const (
		ms   = int64(time.Millisecond)
		s    = int64(time.Second)
		now  = 1_700_000_000*s + 500*ms
		fine = now - s + 1 // a second ago, and not a whole one
	)
	for _, test := range []struct {
		name         string
		mtime, ctime int64
		want         bool
	}{
		{"long ago", fine, fine, false},
		{"just now", now - 50*ms, now - 50*ms, true},
		{"at the edge", now - 100*ms, now - 100*ms, true},
		{"beyond the edge", now - 100*ms - 1, now - 100*ms - 1, false},
		{"mtime set back, written just now", 1, now - ms, true},
		{"mtime now, ctime unknown", now, 0, true},
		{"mtime long ago, ctime unknown", fine, 0, false},
		{"mtime a little ahead", now + 99*ms, fine, true},
		{"mtime far ahead", now + 3600*s, fine, false},
		{"ctime far ahead: the clock was set back", fine, now + 3600*s, true},
		{"whole seconds, one second ago", now - 1500*ms, now - 1500*ms, true},
		{"whole seconds, three ago", now - 3500*ms, now - 3500*ms, false},
		{"a whole mtime that was set, a fine ctime", now - 1500*ms, fine, false},
		{"whole seconds without a ctime", now - 500*ms, 0, true},
		{"1970", 0, 0, false},
	} {
		e := Entry{Kind: File, Mtime: test.mtime, Ctime: test.ctime}
		if got := racy(&e, time.Unix(0, now)); got != test.want {
			t.Errorf("%s: racy is %v", test.name, got)
		}
		if test.want {
			continue
		}
		// An earlier observation may only make more of them racy: if this one is not, then a later
		// one is not either, unless the clock comes near a stamp that lies ahead.
		if later := time.Unix(0, now+s); racy(&e, later) && max(e.Mtime, e.Ctime) < now {
			t.Errorf("%s: racy when observed later", test.name)
		}
	}
}
