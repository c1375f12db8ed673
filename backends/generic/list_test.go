package generic

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestListRBreaks covers a ListR that does not find a directory: only if that is the root is the
// remote empty. rclone's own helpers hand entries on late, after a hundred or at the end.
func TestListRBreaks(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		hand  bool // entries are handed on before it breaks off
		want  error
	}{
		"before a directory vanished": {map[string]string{"a": "A"}, true, remote.ErrTemporary},
		"nothing handed on yet":       {map[string]string{"a": "A"}, false, remote.ErrTemporary},
		"no root":                     {nil, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := genericIn(t, filepath.Join(t.TempDir(), "remote"), rclone.Options{}, tt.files)
			g.f.Features().ListR = func(ctx context.Context, _ string, hand fs.ListRCallback) error {
				entries, _ := g.f.List(ctx, "")
				if tt.hand {
					if err := hand(entries); err != nil {
						return err
					}
				}
				return fs.ErrorDirNotFound
			}
			err := g.List(t.Context(), func(remote.Object) error { return nil })
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
