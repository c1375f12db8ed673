//go:build !linux && !darwin && !freebsd && !netbsd

package snapshot

import "io/fs"

func systemStat(fs.FileInfo, *Entry) {}

func birthOf(fs.FileInfo) int64 { return 0 }
