//go:build !linux && !darwin && !freebsd && !netbsd

package snapshot

import "io/fs"

func systemStat(fs.FileInfo, *Entry) {}

func systemIdentity(string, *Identity) {}

func birth(string, string, bool) int64 { return 0 }
