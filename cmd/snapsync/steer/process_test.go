package steer

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

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
		if got := isAbout(m, &tt.st); got != tt.want {
			t.Errorf("%+v: %v", tt.st, got)
		}
	}
}
