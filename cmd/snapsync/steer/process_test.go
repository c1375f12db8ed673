package steer

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// TestAwaitKeeper looks for the process of a mapping that somebody takes for a moment, and of one that a `run --once` has: the
// first is waited for, the second is not.
func TestAwaitKeeper(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", dir)
	states := mapping.Store{Root: dir}
	m, err := states.At(dir, "dst:")
	if err != nil {
		t.Fatal(err)
	}
	for name, passes := range map[string]bool{"for a moment": true, "run --once": false} {
		s, err := m.Open(t.Context(), mapping.Holder{Transient: passes})
		if err != nil {
			t.Fatal(err)
		}
		returned := make(chan *Process)
		go func() { returned <- AwaitKeeper(t.Context(), states, m) }()
		select {
		case p := <-returned:
			if p != nil || passes {
				t.Errorf("%s: returned %v while the mapping was taken", name, p)
			}
		case <-time.After(time.Second):
			if !passes {
				t.Errorf("%s: is waited for", name)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if passes && !t.Failed() {
			if p := <-returned; p != nil {
				t.Errorf("%s: found %v where nobody is", name, p)
			}
		}
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
		if got := isAbout(m, &tt.st); got != tt.want {
			t.Errorf("%+v: %v", tt.st, got)
		}
	}
}
