package engine_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// shy is a Connection that makes up for a refusal by itself, and only mentions it.
type shy struct {
	remote.Connection
	refusals *atomic.Int64
}

func (s *shy) Throttled() int64 { return s.refusals.Swap(0) }

// A refusal that a Connection made up for has fewer steps be under way, unless a person gave their number.
func TestLoopHeedsRefusals(t *testing.T) {
	for _, tt := range []struct{ given, want int }{{0, 8}, {16, 16}} {
		caps := rig.FullCaps
		caps.Transfers = 16
		var refusals atomic.Int64
		rig.Stays(t, caps, func(r *rig.Rig) {
			r.Cfg.Transfers = tt.given
			r.Wrap = func(c remote.Connection) remote.Connection { return &shy{c, &refusals} }
			r.Write("first", "1")
		}, func(t *testing.T, s *rig.Stay) {
			if n := s.Status().Transfers; n != 16 {
				t.Fatalf("it begins with %d", n)
			}
			refusals.Store(3)
			for i := range 50 {
				s.Write(fmt.Sprint("f", i), "content")
			}
			s.Seen()
			s.Pass(time.Second)
			s.Equal()
			if n := s.Status().Transfers; n != tt.want {
				t.Errorf("%d at once after a refusal, want %d", n, tt.want)
			}
		})
	}
}
