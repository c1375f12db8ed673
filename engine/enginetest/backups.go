package enginetest

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// BackupsOfKinds has paths of c be files, directories and files again, and sees each content in the backups, which read looks up
// by the names that they are documented to have.
func BackupsOfKinds(t *testing.T, c remote.Connection, read func(name string) ([]byte, error)) {
	t.Helper()
	for _, step := range []struct {
		path string
		gone []string // directories to be removed afterwards
		at   string
	}{
		{"x", nil, "x"},
		{"x/f", nil, "x~1/f"},
		{"x/g/h", []string{"x/g", "x"}, "x~1/g/h"},
		{"x", nil, "x"},
		{"d/y/f", []string{"d/y"}, "d/y/f"},
		{"d/y", nil, "d/y~1"},
		{"d/y/f/g", []string{"d/y/f", "d/y"}, "d/y/f~1/g"},
		{"d/y", nil, "d/y~1"},
		{"d/y~1/f", nil, "d/y~1~1/f"},
	} {
		content := "of " + step.path
		if err := c.Send(t.Context(), step.path, Text(content, time.Unix(1e9, 0))); err != nil {
			t.Fatalf("send %s: %v", step.path, err)
		}
		for range 2 { // the second finds nothing
			if err := c.Backup(t.Context(), step.path); err != nil {
				t.Fatalf("back up %s: %v", step.path, err)
			}
		}
		for _, dir := range step.gone {
			if err := c.Rmdir(t.Context(), dir); err != nil && c.Caps().EmptyDirs {
				t.Fatalf("remove %s: %v", dir, err)
			}
		}
		if got, err := read(step.at); string(got) != content {
			t.Errorf("the backup of %s is not %s: %q, %v", step.path, step.at, got, err)
		}
	}
	for name, want := range map[string]string{"x": "of x", "x~1/f": "of x/f", "x~1/g/h": "of x/g/h", "d/y/f": "of d/y/f", "d/y~1": "of d/y", "d/y/f~1/g": "of d/y/f/g"} {
		if got, err := read(name); string(got) != want {
			t.Errorf("in the end the backup %s holds %q, %v", name, got, err)
		}
	}
}
