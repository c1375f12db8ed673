package replay

import (
	"fmt"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/snapshot"
)

// Change is how one path differs between two snapshots.
type Change struct {
	path, from    string // from: its name in the older snapshot if that is another one
	before, after *snapshot.Entry
	dir           bool // a directory that was renamed as a whole
	files         int64
}

func (c Change) what() string {
	switch {
	case c.from != "":
		return "renamed"
	case c.before == nil:
		return "added"
	case c.after == nil:
		return "removed"
	}
	return "modified"
}

// edited reports whether a file is not what it was, whatever it is called.
func (c Change) edited() bool {
	if c.dir || c.before == nil || c.after == nil {
		return false
	}
	if c.before.HashType != snapshot.NoHash && c.before.HashType == c.after.HashType {
		return !c.before.SameContent(c.after)
	}
	return c.before.Size != c.after.Size || c.before.Mtime != c.after.Mtime
}

// changeJSON is one line of `diff --json`.
type changeJSON struct {
	Type      string      `json:"type"`
	What      string      `json:"what"` // added, modified, removed, renamed
	From      string      `json:"from,omitempty"`
	Path      string      `json:"path"`
	Dir       bool        `json:"dir"`
	Files     int64       `json:"files,omitempty"`
	Edited    bool        `json:"edited"` // the content differs, also where it was renamed
	Before    *text.Entry `json:"before"`
	After     *text.Entry `json:"after"`
	PathBytes *string     `json:"path_base64,omitempty"`
	FromBytes *string     `json:"from_base64,omitempty"`
}

// JSON is a line of `diff --json`.
func (c Change) JSON() any {
	return changeJSON{
		"change", c.what(), c.from, c.path, c.dir, c.files, c.edited(), text.NewEntry(c.before), text.NewEntry(c.after), text.RawName(c.path), text.RawName(c.from),
	}
}

// String is a line of `diff`.
func (c Change) String() string {
	switch c.what() {
	case "added":
		return fmt.Sprintf("+ %s (%s)", text.DirPath(c.path, c.dir), text.Size(c.after.Size))
	case "removed":
		return "- " + text.DirPath(c.path, c.dir)
	case "renamed":
		if c.dir {
			return fmt.Sprintf("→ %s → %s (%s)", text.DirPath(c.from, true), text.DirPath(c.path, true), text.Counted(c.files, "file"))
		}
		if c.edited() {
			return fmt.Sprintf("→ %s → %s (modified, %s)", text.Path(c.from), text.Path(c.path), c.sizes())
		}
		return fmt.Sprintf("→ %s → %s", text.Path(c.from), text.Path(c.path))
	}
	return fmt.Sprintf("~ %s (%s)", text.Path(c.path), c.sizes())
}

func (c Change) sizes() string {
	if c.before.Size == c.after.Size {
		return text.Size(c.after.Size)
	}
	return fmt.Sprintf("%s → %s", text.Size(c.before.Size), text.Size(c.after.Size))
}
