package snapshot

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSurvived tells an edited file from a new one, also where the new one got the old inode.
func TestSurvived(t *testing.T) {
	root := t.TempDir()
	cfg := Config{Root: root}
	at := func(name string) string { return filepath.Join(root, name) }
	if err := os.WriteFile(at("a"), []byte("first"), 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := Stat(cfg, "a")
	if err != nil {
		t.Fatal(err)
	}
	a, err := openAnchor(root)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.birth("a", false) == 0 {
		t.Skip("this file system does not tell when an inode was born")
	}
	if err := os.Rename(at("a"), at("b")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("b"), []byte("second, longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !Survived(cfg, "b", old) {
		t.Error("a renamed and edited file is not recognised")
	}
	for try := range 50 { // until the freed inode is used again
		if err := os.Remove(at("b")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at("b"), []byte("third"), 0o644); err != nil {
			t.Fatal(err)
		}
		if Survived(cfg, "b", old) {
			t.Fatalf("a new file passes for the old one (try %d)", try)
		}
	}
}
