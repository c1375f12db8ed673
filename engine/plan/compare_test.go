package plan

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

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
		if got := remote.Truncate(c.ns, c.to); got != c.want {
			t.Errorf("truncate(%d, %v) = %d, want %d", c.ns, c.to, got, c.want)
		}
	}
}
