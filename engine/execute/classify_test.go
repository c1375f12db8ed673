package execute

import (
	"fmt"
	"testing"

	"github.com/snapsync/snapsync/snapshot"
)

// TestGrowingFile: a file that changed while it was sent is not sent again at once; where it is watched, not even by another plan of
// the same cycle.
func TestGrowingFile(t *testing.T) {
	err := fmt.Errorf("send f: %w", snapshot.ErrChanged)
	if hopeful(err) {
		t.Error("it is sent again at once")
	}
	for _, watched := range []bool{false, true} {
		x := &execution{performer: &performer{Config: Config{Watched: watched}}}
		if x.classify(&result{err: err}); x.result.Again == watched {
			t.Errorf("watched %v: another plan %v", watched, x.result.Again)
		}
	}
}
