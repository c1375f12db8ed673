package steer

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

func TestNothingToApprove(t *testing.T) {
	m := &mapping.Mapping{Source: "/src", Key: "dst:"}
	if got := NothingToApprove(m, &journal.Holds{}); got != "nothing is held" {
		t.Error(got)
	}
	got := NothingToApprove(m, &journal.Holds{MountsHeld: 2, MountsWhy: "gone"})
	if want := "2 files kept: gone; mount it again, or accept what is there now with: snapsync approve --new-source /src --remote dst:"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
