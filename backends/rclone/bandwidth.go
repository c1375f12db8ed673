package rclone

import (
	"fmt"
	"slices"
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

// bandwidth is the limit of this process, as rclone's token bucket is one for the process. rclone would follow a
// timetable as well, but reads it while it is being changed.
var bandwidth struct {
	sync.Mutex
	initial fs.BwTimetable // rclone's own, from its variables
	table   fs.BwTimetable // what holds
	set     string         // what it was made of; "": nothing was set
	now     fs.BwPair      // what was last put in force; zero: nothing was
	turned  chan struct{}  // of size one: the table has changed; nil: nobody looks at the clock yet
}

// clockEvery is the time between two looks at the clock; a timetable has minutes.
const clockEvery = time.Minute

// CheckBandwidth returns an error for a limit that is not in rclone's syntax.
func CheckBandwidth(limit string) error {
	var table fs.BwTimetable
	if err := table.Set(limit); limit != "" && err != nil {
		return fmt.Errorf("parse bandwidth limit %q: %w", limit, err)
	}
	return nil
}

// SetBandwidth sets the limit of this process, in rclone's syntax, a timetable included; "" is that of rclone's own
// variables. The first limit holds when SetBandwidth returns. Another one replaces it once what waits by the old one has
// passed. Init comes first, as rclone logs what it limits.
func SetBandwidth(limit string) error {
	if err := CheckBandwidth(limit); err != nil {
		return err
	}
	bandwidth.Lock()
	defer bandwidth.Unlock()
	if bandwidth.set == limit {
		return nil
	}
	bandwidth.set = limit
	table := bandwidth.initial
	if limit != "" {
		table = nil
		_ = table.Set(limit) // it was checked
	}
	hold(table)
	return nil
}

// takeBandwidth makes the limit of rclone's own variables ours, before rclone follows it.
func takeBandwidth(global *fs.ConfigInfo) {
	bandwidth.Lock()
	defer bandwidth.Unlock()
	bandwidth.initial, global.BwLimit = global.BwLimit, nil
	if bandwidth.set == "" && len(bandwidth.initial) > 0 {
		hold(bandwidth.initial)
	}
}

// Limited reports whether a limit may be in force, now or at another time of the week, so that what is sent may wait for
// long.
func Limited() bool { return limited.Load() }

// hold makes table the one that holds. The caller has the lock.
func hold(table fs.BwTimetable) {
	bandwidth.table = table
	limited.Store(slices.ContainsFunc(table, func(s fs.BwTimeSlot) bool { return s.Bandwidth.IsSet() }))
	if bandwidth.turned != nil {
		select {
		case bandwidth.turned <- struct{}{}:
		default:
		}
		return
	}
	if limit, changed := due(time.Now()); changed {
		accounting.TokenBucket.SetBwLimit(limit)
	}
	bandwidth.turned = make(chan struct{}, 1)
	go followClock(bandwidth.turned)
}

// followClock puts in force what the table says, for as long as the process runs. rclone's bucket can be changed only when
// nobody waits for it: so this is a goroutine of its own.
func followClock(turned <-chan struct{}) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-turned:
		case <-tick.C:
		}
		bandwidth.Lock()
		limit, changed := due(time.Now())
		bandwidth.Unlock()
		if changed {
			accounting.TokenBucket.SetBwLimit(limit)
		}
	}
}

// due is the limit that the table has for now, and whether another one is in force. The caller has the
// lock, and puts it in force.
func due(now time.Time) (limit fs.BwPair, changed bool) {
	limit = bandwidth.table.LimitAt(now).Bandwidth
	if !limit.IsSet() {
		limit = fs.BwPair{Tx: -1, Rx: -1}
	}
	changed = limit != bandwidth.now
	bandwidth.now = limit
	return limit, changed
}

// Throttle waits until n bytes of content may have passed under the bandwidth limit. A backend's own connections wait
// as well, where they are rclone's; this is for the ones that are not. Pieces of at most ThrottledRead keep the flow
// even.
func Throttle(n int) {
	if limited.Load() && n > 0 {
		accounting.TokenBucket.LimitBandwidth(accounting.TokenBucketSlotAccounting, n)
	}
}

// ThrottledRead is how much of up to n bytes is to be read at once.
func ThrottledRead(n int) int {
	if limited.Load() {
		return min(n, limitedRead)
	}
	return n
}
