package event

import "github.com/snapsync/snapsync/journal"

// Counts is what was done on the remote. The JSON names are the contract of `run --once --json`.
type Counts struct {
	Sent        int64 `json:"sent"` // uploads and new directories
	Copied      int64 `json:"copied"`
	Touched     int64 `json:"touched"`
	Moved       int64 `json:"moved"`
	Deleted     int64 `json:"deleted"` // files
	UploadBytes int64 `json:"upload_bytes"`
	SavedBytes  int64 `json:"saved_bytes"` // that moves and copies did not have to send
}

// Add counts a step that the remote did. size is that of the file that it brought to its path; for a directory that moved,
// of all files beneath it.
func (c *Counts) Add(s *journal.Step, size int64) {
	switch {
	case s.Action == journal.Move:
		c.Moved++
		c.SavedBytes += size
	case s.Action == journal.Delete && !s.Dir:
		c.Deleted++
	case s.Action == journal.Delete:
	case s.How == journal.Copy:
		c.Copied++
		c.SavedBytes += size
	case s.How == journal.Touch:
		c.Touched++
	case s.How == journal.Upload:
		c.Sent++
		c.UploadBytes += size
	default:
		c.Sent++
	}
}

// Plus returns the sum of both.
func (c Counts) Plus(d Counts) Counts {
	return Counts{
		Sent: c.Sent + d.Sent, Copied: c.Copied + d.Copied, Touched: c.Touched + d.Touched, Moved: c.Moved + d.Moved,
		Deleted: c.Deleted + d.Deleted, UploadBytes: c.UploadBytes + d.UploadBytes, SavedBytes: c.SavedBytes + d.SavedBytes,
	}
}
