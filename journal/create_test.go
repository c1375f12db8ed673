package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// What a crash left while a journal was made, and the log of one that was removed, are gone once a journal is there.
func TestCreateAfterCrash(t *testing.T) {
	j, old := newJournal(t)
	run(t, j, send("a", file(1)))
	log, err := os.ReadFile(old + "-wal") // before it is folded in
	must(t, err)
	must(t, j.Close())
	whole, err := os.ReadFile(old)
	must(t, err)
	for name, left := range map[string]map[string][]byte{
		"nothing written":     {".new": nil},
		"half written":        {".new": whole[:len(whole)/2], ".new-wal": log, ".new-shm": make([]byte, 32768)},
		"not renamed":         {".new": whole},
		"log of another":      {"-wal": log},
		"log and its index":   {"-wal": log, "-shm": make([]byte, 32768)},
		"of another's rename": {".new": whole, "-wal": log},
		"rollback journal":    {"-journal": whole},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			for suffix, content := range left {
				must(t, os.WriteFile(path+suffix, content, 0o600))
			}
			j := mustOpen(t, path)
			defer j.Close()
			mustBeSound(t, j)
			if n := len(tree(t, j)); n != 0 {
				t.Errorf("a new journal has a base of %d rows", n)
			}
			if j.Mapping() != testMapping {
				t.Errorf("mapping %v", j.Mapping())
			}
			for name := range listing(t, filepath.Dir(path)) {
				if name != "journal.db" && name != "journal.db-wal" && name != "journal.db-shm" {
					t.Errorf("left: %s", name)
				}
			}
		})
	}
}
