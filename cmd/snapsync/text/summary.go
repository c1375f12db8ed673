package text

import (
	"errors"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/snapshot"
)

// Summary is the last line of `run --once --json`.
type Summary struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping,omitempty"` // its name in the config file
	engine.Summary
	Files    int64  `json:"files"` // of the source that belong to the mapping
	Symlinks int64  `json:"symlinks_skipped,omitempty"`
	Special  int64  `json:"special_skipped,omitempty"` // sockets, fifos, devices
	Paused   bool   `json:"paused,omitempty"`
	Error    string `json:"error,omitempty"`
}

// SummaryLine returns what a run did, in a line.
func SummaryLine(sum *engine.Summary) string {
	if sum.Sent+sum.Copied+sum.Touched+sum.Moved+sum.Deleted+sum.Failed+sum.Held == 0 {
		return fmt.Sprintf("nothing changed (%s checked in %s)", Counted(sum.Scan.Files, "file"), seconds(sum.Seconds))
	}
	line := fmt.Sprintf("sent %s (%s)", Count(sum.Sent), Size(sum.UploadBytes))
	for _, part := range []struct {
		what string
		n    int64
	}{{"copied", sum.Copied}, {"touched", sum.Touched}, {"moved", sum.Moved}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %s %s", part.what, Count(part.n))
		}
	}
	line += fmt.Sprintf(", deleted %s", Count(sum.Deleted))
	if sum.SavedBytes > 0 {
		line += fmt.Sprintf(", %s not sent", Size(sum.SavedBytes))
	}
	return line + " in " + seconds(sum.Seconds)
}

// Skipped says what the scan left out, so that nobody has to find out later.
func Skipped(s *snapshot.Stats) (text string) {
	if s.Symlinks > 0 {
		text += "; " + Counted(s.Symlinks, "symlink") + " skipped (--links keeps them)"
	}
	if s.Special > 0 {
		text += "; " + Count(s.Special) + " " + Plural(s.Special, "socket, fifo or device", "sockets, fifos or devices") + " skipped"
	}
	return text
}

const (
	// MaxShown bounds how many lines a message has for paths.
	MaxShown = 10
	// maxAlike is up to how many paths that failed alike have a line each.
	maxAlike = 3
)

// Failed is the error of a run of which some paths failed: the first MaxShown lines of them. One cause that many met has one
// line.
func Failed(sum *engine.Summary) error {
	var reasons []string
	alike := map[string][]string{} // paths by reason
	for _, f := range sum.Failures {
		reason := WithoutPath(f.Err.Error(), f.Path)
		if alike[reason] == nil {
			reasons = append(reasons, reason)
		}
		alike[reason] = append(alike[reason], Path(f.Path))
	}
	var lines []string
	told := int64(0)
	for _, reason := range reasons {
		paths := alike[reason]
		if len(paths) > maxAlike && len(lines) < MaxShown {
			lines = append(lines, fmt.Sprintf("%s, %s and %s more: %s", paths[0], paths[1], Count(int64(len(paths)-2)), reason))
			told += int64(len(paths))
			continue
		}
		for _, path := range paths[:min(len(paths), MaxShown-len(lines))] {
			lines = append(lines, path+": "+reason)
			told++
		}
	}
	if told < sum.Failed {
		lines = append(lines, "… and "+Count(sum.Failed-told)+" more")
	}
	return errors.New(Counted(sum.Failed, "path") + " failed\n  " + strings.Join(lines, "\n  "))
}
