package text

import (
	"fmt"
	"io"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// History is one acknowledged step.
type History struct {
	Step
	Snapshot int64   `json:"snapshot"`
	Time     *string `json:"time"`
	Before   *Entry  `json:"before"`
	After    *Entry  `json:"after"`
}

// Entry is an entry of the base or of the source.
type Entry struct {
	Kind     string  `json:"kind"`
	Size     int64   `json:"size"`
	Mtime    *string `json:"mtime"`
	Mode     string  `json:"mode"`
	Ino      uint64  `json:"ino,omitempty"`
	HashType string  `json:"hash_type,omitempty"`
	Hash     string  `json:"hash,omitempty"`
	Retained bool    `json:"retained,omitempty"`
	Adopted  bool    `json:"adopted,omitempty"`
	Racy     bool    `json:"racy,omitempty"`
}

// NewEntry returns e for programs; nil for nil.
func NewEntry(e *snapshot.Entry) *Entry {
	if e == nil {
		return nil
	}
	out := &Entry{
		Kind: e.Kind.String(), Size: e.Size, Mtime: JSONTime(e.ModTime()), Mode: fmt.Sprintf("%04o", e.Mode), Ino: e.Ino,
		Retained: e.Flags.Has(snapshot.Retained), Adopted: e.Flags.Has(snapshot.Adopted), Racy: e.Flags.Has(snapshot.Racy),
	}
	if e.HashType != snapshot.NoHash {
		out.HashType, out.Hash = e.HashType.String(), e.Hash.String()
	}
	return out
}

// NewHistory returns a row of the history for programs.
func NewHistory(r *journal.HistoryRow) History {
	out := History{
		Step: Step{
			Type: "history", Action: r.Action.String(), From: r.From, Path: r.Path, Reason: r.Reason.String(),
			PathBytes: RawName(r.Path), FromBytes: RawName(r.From),
		},
		Snapshot: r.Cycle, Time: JSONTime(r.At), Before: NewEntry(r.Before), After: NewEntry(r.After),
	}
	if r.Action == journal.Send {
		out.How = r.How.String()
	}
	if r.Dir {
		files := int32(r.Files)
		out.Dir, out.Files = &r.Dir, &files
	}
	if r.After != nil && !r.Dir {
		out.Size = &r.After.Size
	}
	return out
}

// WriteHistory prints a row of the history for people, as one line.
func WriteHistory(w io.Writer, r *journal.HistoryRow) error {
	step := &journal.Step{
		Path: r.Path, From: r.From, Old: r.Before, New: r.After, Files: int32(r.Files),
		Action: r.Action, How: r.How, Reason: r.Reason, Dir: r.Dir,
	}
	if r.After == nil {
		step.New = &snapshot.Entry{}
	}
	line := describe(show(step, 0))
	_, err := fmt.Fprintf(w, "%s  #%-4d %s %-6s %s\n", Time(r.At), r.Cycle, line.symbol, line.kind, line.text)
	return err
}

// Snapshot is one acknowledged snapshot.
type Snapshot struct {
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

// NewSnapshot returns a cycle for programs.
func NewSnapshot(c *journal.Cycle) Snapshot {
	return Snapshot{
		Type: "snapshot", ID: c.ID, Time: JSONTime(c.Began), Ended: JSONTime(c.Ended), Outcome: c.Outcome,
		Sent: c.Sent, Copied: c.Copied, Touched: c.Touched, Moved: c.Moved, Deleted: c.Deleted,
		UploadBytes: c.UploadBytes, Failed: c.Failed, Held: c.Held,
	}
}

// SnapshotLine returns a cycle for people.
func SnapshotLine(c *journal.Cycle) string {
	line := fmt.Sprintf("#%-5d %s  sent %s (%s)", c.ID, Time(c.Began), Count(c.Sent), Size(c.UploadBytes))
	for _, part := range []struct {
		what string
		n    int64
	}{{"copied", c.Copied}, {"touched", c.Touched}, {"moved", c.Moved}, {"deleted", c.Deleted}, {"failed", c.Failed}, {"held", c.Held}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %s %s", part.what, Count(part.n))
		}
	}
	if c.Outcome != "" && c.Outcome != "idle" {
		line += " [" + c.Outcome + "]"
	}
	return line
}
