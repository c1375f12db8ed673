package main

import (
	"fmt"
	"math"

	"github.com/snapsync/snapsync/journal"
)

type snapshotsCmd struct {
	Src    string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	Number int    `short:"n" default:"20" placeholder:"N" help:"How many; 0: all."`
	selection
}

// Help is the long text of `snapshots --help`.
func (*snapshotsCmd) Help() string {
	return `A run that changed something on the remote makes a snapshot: what the remote holds since then. They are
listed newest first; 'snapsync diff' takes their numbers.

Examples:

    snapsync snapshots -m work
    snapsync snapshots ~/work`
}

// Run implements the command.
func (c *snapshotsCmd) Run(a *app) error {
	return a.withHistory(&c.selection, c.Src, "", func(s *session) error {
		cycles, err := s.journal.Cycles(orAll(c.Number))
		if err != nil {
			return err
		}
		for i := range cycles {
			if a.JSON {
				err = writeJSON(a.stdout, snapshotOf(&cycles[i]))
			} else {
				_, err = fmt.Fprintln(a.stdout, snapshotLine(&cycles[i]))
			}
			if err != nil {
				return err
			}
		}
		if len(cycles) == 0 && !a.JSON && !a.Quiet {
			fmt.Fprintln(a.stderr, "no snapshots yet")
		}
		return nil
	})
}

// orAll is the limit that -n asks for; 0 asks for everything.
func orAll(n int) int {
	if n <= 0 {
		return math.MaxInt32
	}
	return n
}

// snapshotJSON is one acknowledged snapshot.
type snapshotJSON struct {
	Type        string  `json:"type"`
	ID          int64   `json:"id"`
	Time        *string `json:"time"`
	Ended       *string `json:"ended"`
	Outcome     string  `json:"outcome"`
	Sent        int64   `json:"sent"`
	Copied      int64   `json:"copied"`
	Touched     int64   `json:"touched"`
	Moved       int64   `json:"moved"`
	Deleted     int64   `json:"deleted"`
	UploadBytes int64   `json:"upload_bytes"`
	Failed      int64   `json:"failed"`
	Held        int64   `json:"held"`
}

func snapshotOf(c *journal.Cycle) snapshotJSON {
	return snapshotJSON{
		Type: "snapshot", ID: c.ID, Time: jsonTime(c.Began), Ended: jsonTime(c.Ended), Outcome: c.Outcome,
		Sent: c.Sent, Copied: c.Copied, Touched: c.Touched, Moved: c.Moved, Deleted: c.Deleted,
		UploadBytes: c.UploadBytes, Failed: c.Failed, Held: c.Held,
	}
}

func snapshotLine(c *journal.Cycle) string {
	line := fmt.Sprintf("#%-5d %s  sent %s (%s)", c.ID, localTime(c.Began), count(c.Sent), size(c.UploadBytes))
	for _, part := range []struct {
		what string
		n    int64
	}{{"copied", c.Copied}, {"touched", c.Touched}, {"moved", c.Moved}, {"deleted", c.Deleted}, {"failed", c.Failed}, {"held", c.Held}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %s %s", part.what, count(part.n))
		}
	}
	if c.Outcome != "" && c.Outcome != "idle" {
		line += " [" + c.Outcome + "]"
	}
	return line
}
