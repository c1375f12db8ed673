package rclone

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/engine/remote"
)

func FuzzNameRoundTrip(f *testing.F) {
	for _, name := range []string{
		"plain", "‛quote", "‛‛twice", "end‛", "end‛‛", "‛‛‛", "‛／", "／", "␀", "．", "．．", "\xff\xfe", "‛FF", "a/‛b/c‛‛", "\x01\x7f", "␁",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, path string) {
		for name := range strings.SplitSeq(path, "/") {
			if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) {
				t.Skip("no path of a file")
			}
		}
		std := Encode(path)
		back, err := Decode(std)
		if err != nil || back != path {
			t.Fatalf("%q is encoded as %q, which decodes to %q, %v", path, std, back, err)
		}
		// rclone's local backend must be able to hold what it is called.
		if again := encoder.OS.ToStandardPath(encoder.OS.FromStandardPath(std)); again != std {
			t.Fatalf("%q is encoded as %q, which rclone turns into %q", path, std, again)
		}
	})
}

// TestNamesAreRclones compares with what rclone's local backend calls the same files.
func TestNamesAreRclones(t *testing.T) {
	dir := t.TempDir()
	names := []string{"plain", "é", "e\u0301", "a\nb", "\x01\x7f", "\xff\xfe", "‛／", "／", "␀", "␁", "．", " x ", "x.", "日本語", "‛‛pair"}
	var want []string
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Skipf("this file system cannot hold %q: %v", name, err)
		}
		want = append(want, Encode(name))
	}
	f, err := fs.NewFs(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := f.List(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Remote())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("rclone calls them %q, we %q", got, want)
	}
}

func TestDecodeImpossible(t *testing.T) {
	for _, target := range []string{"", "a//b", "/a", "a/"} {
		if path, err := Decode(target); !errors.Is(err, remote.ErrInvalidName) {
			t.Errorf("decode %q gave %q and %v", target, path, err)
		}
	}
}
