package steer

import (
	"slices"
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
)

func TestPathsThroughJSON(t *testing.T) {
	want := []string{"ä b", "x", "\xfe/y"}
	c := WithPaths(control.Command{}, want)
	got, err := Paths(&c)
	if err != nil || !slices.Equal(got, want) || len(c.Paths) != 2 || len(c.PathsBytes) != 1 {
		t.Errorf("%q became %q, %v", want, got, err)
	}
}
