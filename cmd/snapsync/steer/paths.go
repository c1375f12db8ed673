package steer

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// NothingFailed answers a retry where nothing failed.
const NothingFailed = "nothing failed"

// Retried says what comes of a retry of so many paths while a process runs.
func Retried(n int64, paused bool) string {
	switch {
	case n == 0:
		return NothingFailed
	case paused:
		return "paused: " + text.Counted(n, "failed path") + " tried again after 'snapsync resume'"
	}
	return text.Counted(n, "failed path") + " tried again now"
}

// EveryFailure is more than a journal keeps of them in practice.
const EveryFailure = 1 << 20

// WithPaths adds paths to a command; what is not UTF-8 does not go through JSON as it is.
func WithPaths(c control.Command, paths []string) control.Command {
	for _, p := range paths {
		if utf8.ValidString(p) {
			c.Paths = append(c.Paths, p)
		} else {
			c.PathsBytes = append(c.PathsBytes, base64.StdEncoding.EncodeToString([]byte(p)))
		}
	}
	return c
}

// Paths returns the paths of a command in the journal's form; "" is the source itself. One outside the source is an error.
func Paths(c *control.Command) ([]string, error) {
	paths := slices.Clone(c.Paths)
	for _, text := range c.PathsBytes {
		p, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, badPath("paths_base64: %v", err)
		}
		paths = append(paths, string(p))
	}
	for i, p := range paths {
		clean := path.Clean(p)
		if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
			return nil, badPath("%q is not a path inside the source", p)
		}
		if clean == "." {
			clean = "" // the source itself
		}
		paths[i] = clean
	}
	return paths, nil
}

func badPath(format string, args ...any) error {
	return &control.Error{
		Code: http.StatusBadRequest, Message: fmt.Sprintf(format, args...), Remedy: "paths are relative to the source, with slashes", Exit: exit.StatusUsage,
	}
}
