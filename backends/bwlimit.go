package backends

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/accounting"
)

// limited says that a bandwidth limit may be in force, so that streams are read in small pieces.
var limited atomic.Bool

// limitedRead is how much is read at once under a limit: each piece is waited for as a whole.
const limitedRead = 16 << 10

var bandwidth struct {
	sync.Mutex
	now    string // what was set last
	ticker bool   // a timetable is being followed
}

// setBwLimit sets the limit of this process, in rclone's syntax, a timetable included. rclone's
// token bucket is one for the process, and so is this: the last one set holds for all Connections.
func setBwLimit(ctx context.Context, limit string) error {
	if limit == "" {
		return nil
	}
	var table fs.BwTimetable
	if err := table.Set(limit); err != nil {
		return fmt.Errorf("parse bandwidth limit %q: %w", limit, err)
	}
	bandwidth.Lock()
	defer bandwidth.Unlock()
	if bandwidth.now == limit {
		return nil
	}
	bandwidth.now = limit
	fs.GetConfig(context.Background()).BwLimit = table
	accounting.TokenBucket.SetBwLimit(table.LimitAt(time.Now()).Bandwidth)
	limited.Store(true)
	if len(table) > 1 && !bandwidth.ticker {
		accounting.TokenBucket.StartTokenTicker(context.WithoutCancel(ctx))
		bandwidth.ticker = true
	}
	return nil
}

// throttle waits until n bytes may have passed. A backend's own connections wait as well, where they
// are rclone's; this is for the ones that are not.
func throttle(n int) {
	if limited.Load() && n > 0 {
		accounting.TokenBucket.LimitBandwidth(accounting.TokenBucketSlotAccounting, n)
	}
}
