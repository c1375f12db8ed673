package settings

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

func TestSlots(t *testing.T) {
	many := []Spec{{TransferFlags: TransferFlags{Transfers: "auto"}}, {TransferFlags: TransferFlags{Transfers: "300"}}}
	for _, c := range []struct {
		flag  string
		specs []Spec
		want  int64 // -1: refused
	}{
		{"", nil, defaultSlots}, {"auto", many[:1], defaultSlots}, {"Auto", many, 300}, {"7", many, 7}, {"0", nil, MaxSlots},
		{"-1", nil, -1}, {"many", nil, -1}, {"1.5", nil, -1}, {"99999999999", nil, -1},
	} {
		got, err := (&ProcessFlags{MaxTransfers: c.flag}).Slots(c.specs)
		if c.want < 0 && exit.Of(err).Status != exit.StatusUsage || c.want >= 0 && (err != nil || got != c.want) {
			t.Errorf("%q: %d, %v; want %d", c.flag, got, err, c.want)
		}
	}
}

func TestChanges(t *testing.T) {
	was := &Process{Globals: Globals{StateDir: "/a", LogLevel: "INFO", Rclone: []string{"x=1"}}, Bwlimit: "1M"}
	is := &Process{Globals: Globals{StateDir: "/b", LogLevel: "INFO", Rclone: []string{"x=2"}}, ProcessFlags: ProcessFlags{MetricsAddr: ":1"}}
	changed, restart := was.Changes(is)
	if diff := cmp.Diff([]string{"metrics-addr", "bwlimit"}, changed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"state-dir", "rclone"}, restart); diff != "" {
		t.Error(diff)
	}
	if is.StateDir != "/a" || is.Rclone[0] != "x=1" || is.MetricsAddr != ":1" {
		t.Errorf("got %+v", is)
	}
}
