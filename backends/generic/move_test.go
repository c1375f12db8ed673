package generic

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestTouchNear sets mtimes on a remote that keeps whole seconds: what it has already is not set again, and the
// second before is not taken for it, although it is less than a second away.
func TestTouchNear(t *testing.T) {
	dir := t.TempDir()
	g := genericIn(t, dir, rclone.Options{}, map[string]string{"f": "x"})
	g.caps.Precision = time.Second
	has := time.Unix(1_000_000_000, 0)
	for _, tt := range []struct{ to, want time.Time }{
		{has.Add(time.Second - 1), has},
		{has.Add(-300 * time.Millisecond), has.Add(-300 * time.Millisecond)},
		{has.Add(time.Second), has.Add(time.Second)},
	} {
		name := filepath.Join(dir, "f")
		if err := os.Chtimes(name, has, has); err != nil {
			t.Fatal(err)
		}
		if err := g.Touch(t.Context(), "f", enginetest.Text("x", tt.to).Entry(), nil); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || !info.ModTime().Equal(tt.want) {
			t.Errorf("touched to %v it has %v, want %v (%v)", tt.to, info.ModTime(), tt.want, err)
		}
	}
}
