package rclone

import (
	"testing"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/accounting"
)

// A limit that is set later holds for what goes on, and one that is taken away does not.
func TestBandwidthChanges(t *testing.T) {
	if err := Init(t.Context(), Settings{}); err != nil { // what holds the limit logs, and the logger is set but once
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := SetBandwidth("off"); err != nil {
			t.Error(err)
		}
	})
	inForce := func(want fs.BwPair) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			bandwidth.Lock()
			now := bandwidth.now
			bandwidth.Unlock()
			if now == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%v is in force, want %v", &now, &want)
			}
		}
	}
	day := func(limit string) string { return "Mon-00:00," + limit + " Tue-00:00," + limit + " Sun-23:59," + limit }
	mega := fs.BwPair{Tx: fs.Mebi, Rx: fs.Mebi}
	for _, c := range []struct {
		limit   string
		want    fs.BwPair
		limited bool
	}{
		{"1M", mega, true}, {"2M:1M", fs.BwPair{Tx: 2 * fs.Mebi, Rx: fs.Mebi}, true}, {"off", fs.BwPair{Tx: -1, Rx: -1}, false},
		{day("1M"), mega, true}, {"", fs.BwPair{Tx: -1, Rx: -1}, false}, {day("off"), fs.BwPair{Tx: -1, Rx: -1}, false},
	} {
		if err := SetBandwidth(c.limit); err != nil {
			t.Fatal(err)
		}
		inForce(c.want)
		if Limited() != c.limited {
			t.Errorf("%q: limited %v", c.limit, Limited())
		}
	}
	if err := SetBandwidth("fast"); err == nil {
		t.Error("a limit that means nothing was set")
	}
	if err := SetBandwidth("1M:1M"); err != nil {
		t.Fatal(err)
	}
	inForce(mega)
	for begun, took := time.Now(), time.Duration(0); took < 200*time.Millisecond; { // the bucket is empty at first
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("256 KiB at 1 MiB/s took %v", took)
		}
		one := time.Now()
		for range 8 {
			accounting.TokenBucket.LimitBandwidth(accounting.TokenBucketSlotAccounting, 32<<10)
		}
		took = time.Since(one)
	}
}

// A timetable is followed from one slot to the next.
func TestBandwidthTimetable(t *testing.T) {
	bandwidth.Lock()
	defer bandwidth.Unlock()
	table, now := bandwidth.table, bandwidth.now
	defer func() { bandwidth.table, bandwidth.now = table, now }()
	bandwidth.table = nil
	if err := bandwidth.table.Set("08:00,512k 19:00,off"); err != nil {
		t.Fatal(err)
	}
	bandwidth.now = fs.BwPair{}
	slow, free := fs.BwPair{Tx: 512 << 10, Rx: 512 << 10}, fs.BwPair{Tx: -1, Rx: -1}
	for _, c := range []struct {
		at      string
		want    fs.BwPair
		changed bool
	}{{"09:00", slow, true}, {"18:59", slow, false}, {"19:00", free, true}, {"23:00", free, false}, {"08:00", slow, true}} {
		at, err := time.Parse("15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if limit, changed := due(at); limit != c.want || changed != c.changed {
			t.Errorf("%s: %v, changed %v; want %v, %v", c.at, &limit, changed, &c.want, c.changed)
		}
	}
}
