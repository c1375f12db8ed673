package database

import (
	"os"
	"path/filepath"
	"testing"
)

// A database is whole as soon as it has its name: who reads it meanwhile finds none, or one in which start has written.
func TestCreateIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	must(t, create(path, func(c Conn) error {
		return c.Exec("INSERT INTO mapping (id, source, remote) VALUES (1, '/src', 'dst:')")
	}))
	files, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(files) != 1 {
		t.Errorf("files: %v", files)
	}
	var n int64
	ro, err := OpenReadOnly(path, func(c Conn) (err error) {
		n, err = c.Int("SELECT count(*) FROM mapping WHERE remote = 'dst:'")
		return err
	})
	must(t, err)
	must(t, ro.Close())
	if n != 1 {
		t.Errorf("%d mappings", n)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
