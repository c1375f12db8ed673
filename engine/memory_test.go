package engine

import (
	"errors"
	"testing"

	"github.com/snapsync/snapsync/journal"
)

// TestDamagedDocuments has nonsense where the engine keeps what it knows of source and remote: it is told as damage, which has
// a remedy and an exit status of its own.
func TestDamagedDocuments(t *testing.T) {
	dir := t.TempDir()
	for name, read := range map[string]func(*memory) error{
		"identity": func(m *memory) error { m.state.Identity = "{"; _, err := m.checkSource(); return err },
		"places":   func(m *memory) error { m.state.Places = "[{"; _, err := m.places(); return err },
		"caps":     func(m *memory) error { m.state.Caps = `{"Move":1}`; _, err := m.knownCaps(); return err },
	} {
		cfg := Config{}
		cfg.Scan.Root = dir
		if err := read(&memory{config: &cfg}); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
