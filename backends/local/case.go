package local

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ignoresCase reports whether a and A are the same file in dir, by looking at something that exists:
// nothing may be written before there is a plan.
func ignoresCase(dir string) bool {
	if d, err := os.Open(dir); err == nil {
		names, _ := d.Readdirnames(64)
		d.Close()
		for _, name := range names {
			if same, ok := sameInOtherCase(dir, name); ok {
				return same
			}
		}
	}
	for up := dir; filepath.Dir(up) != up; up = filepath.Dir(up) {
		if same, ok := sameInOtherCase(filepath.Dir(up), filepath.Base(up)); ok {
			return same
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}

// sameInOtherCase compares name with its spelling in other letters; ok is false if it tells nothing.
func sameInOtherCase(dir, name string) (same, ok bool) {
	other := strings.ToUpper(name)
	if other == name {
		other = strings.ToLower(name)
	}
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil || other == name {
		return false, false
	}
	twin, err := os.Lstat(filepath.Join(dir, other))
	if err != nil {
		return false, errors.Is(err, os.ErrNotExist)
	}
	return os.SameFile(info, twin), true
}
