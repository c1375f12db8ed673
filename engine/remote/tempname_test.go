package remote

import (
	"testing"

	"github.com/snapsync/snapsync/snapshot"
)

func TestTempNames(t *testing.T) {
	for _, path := range []string{"a", "a/b", "a b/\xff\n", "deep/er/.hidden"} {
		dir, name := snapshot.Split(path)
		for _, temp := range []string{TempName(path), PartialName(path)} {
			gotDir, gotName := snapshot.Split(temp)
			if gotDir != dir || gotName == name {
				t.Errorf("the temporary name of %q is %q, want another name in the same directory", path, temp)
			}
			if !IsTempName(gotName) {
				t.Errorf("IsTempName(%q) = false, but it stands for %q", gotName, path)
			}
		}
		if TempName(path) == PartialName(path) {
			t.Errorf("%q is parked and uploaded under one name", path)
		}
	}
	if TempName("a/x") == TempName("b/x") || TempName("a") == TempName("b") {
		t.Error("two paths have one temporary name")
	}
	// Runs find what older versions left: the names must never change.
	if got, want := TempName("dir/file"), "dir/.snapsync-f885c08355b0a6ed.tmp"; got != want {
		t.Errorf("TempName(dir/file) = %q, want %q", got, want)
	}
}

func TestIsTempNameRefusesOthers(t *testing.T) {
	for _, name := range []string{
		"", ".snapsync-", ".snapsync-.tmp", ".snapsync-0123456789abcdef", "snapsync-0123456789abcdef.tmp",
		".snapsync-0123456789abcde.tmp", ".snapsync-0123456789abcdef0.tmp", ".snapsync-0123456789abcdeF.tmp",
		".snapsync-0123456789abcdeg.tmp", ".snapsync-0123456789abcdef.tmpx", ".snapsync-0123456789abcdef.txt",
		"x.snapsync-0123456789abcdef.tmp",
	} {
		if IsTempName(name) {
			t.Errorf("IsTempName(%q) = true", name)
		}
	}
}
