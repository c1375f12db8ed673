package main

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/journal"
)

func TestNothingToApprove(t *testing.T) {
	m := &mapping.Mapping{Source: "/src", Key: "dst:"}
	if got := steer.NothingToApprove(m, &journal.Holds{}); got != "nothing is held" {
		t.Error(got)
	}
	got := steer.NothingToApprove(m, &journal.Holds{MountsHeld: 2, MountsWhy: "gone"})
	if want := "2 files kept: gone; mount it again, or accept what is there now with: snapsync approve --new-source /src --remote dst:"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Another config file may have another mapping of the same name.
func TestMappingIsKnownByItsID(t *testing.T) {
	m := &mapping.Mapping{ID: "work-1", Display: "dst:", Name: "work"}
	for _, tt := range []struct {
		st   status.Status
		want bool
	}{
		{status.Status{ID: "work-1", Mapping: "renamed", Remote: "dst:"}, true},
		{status.Status{ID: "work-2", Mapping: "work", Remote: "other:"}, false},
		{status.Status{ID: "work", Mapping: "work", Remote: "dst:"}, true}, // not prepared yet
		{status.Status{ID: "work", Mapping: "work", Remote: "other:"}, false},
	} {
		if got := steer.IsAbout(m, &tt.st); got != tt.want {
			t.Errorf("%+v: %v", tt.st, got)
		}
	}
}
