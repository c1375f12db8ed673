package rclone

import (
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Encode translates a path in the source's bytes to rclone's standard form, in which rclone's local backend names the same
// file. A backend's encoding option makes of that what the server gets.
//
// rclone cannot read every name. One with '‛', the rune that rclone quotes with, in another place than its quoting comes
// back from its encoder as another name ("no such file"). Such names are quoted once more, by doubling that rune, and
// marked at the end.
func Encode(path string) string {
	for i := range len(path) {
		if c := path[i]; c < 0x20 || c > 0x7e {
			return eachName(path, encodeName)
		}
	}
	return path // printable ASCII is the same in both, on every system
}

const (
	quote = string(encoder.QuoteRune)
	mark  = quote + quote // at the end of a name
)

func encodeName(name string) string {
	std := encoder.OS.ToStandardName(name)
	if !strings.HasSuffix(name, mark) && encoder.OS.FromStandardName(std) == name {
		return std
	}
	return encoder.OS.ToStandardName(strings.ReplaceAll(name, quote, quote+quote) + mark)
}

func decodeName(std string) string {
	name := encoder.OS.FromStandardName(std)
	if doubled, ok := strings.CutSuffix(name, mark); ok {
		plain := strings.ReplaceAll(doubled, quote+quote, quote)
		if encodeName(plain) == std {
			return plain
		}
	}
	return name
}

func eachName(path string, translate func(string) string) string {
	names := strings.Split(path, "/")
	for i, name := range names {
		names[i] = translate(name)
	}
	return strings.Join(names, "/")
}

// Decode is the reverse of Encode. It fails, with ErrInvalidName, for names that no local file can have.
func Decode(target string) (string, error) {
	path := eachName(target, decodeName)
	if strings.Count(path, "/") != strings.Count(target, "/") {
		return "", fmt.Errorf("decode %q: a slash within a name: %w", target, remote.ErrInvalidName)
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.IndexByte(name, 0) >= 0 {
			return "", fmt.Errorf("decode %q: %w", target, remote.ErrInvalidName)
		}
	}
	return path, nil
}

// RemoteName is the name under which a remote holds an entry of this kind: rclone keeps a symbolic
// link as a file that contains its target.
func RemoteName(path string, kind snapshot.Kind) string {
	if kind == snapshot.Symlink {
		return Encode(path) + fs.LinkSuffix
	}
	return Encode(path)
}

// TrimLink returns the name of the link that name stands for, if it has rclone's suffix for links.
func TrimLink(name string) (string, bool) { return strings.CutSuffix(name, fs.LinkSuffix) }
