package journal

import (
	"fmt"

	"github.com/snapsync/snapsync/snapshot"
)

// Action is what a step does to the remote. There are no others.
type Action uint8

const (
	Send   Action = 1 + iota // make Path hold New
	Move                     // rename From to Path
	Delete                   // remove Path
)

// How is the way in which a Send reaches its end.
type How uint8

const (
	Upload How = 1 + iota // the content travels
	Copy                  // the remote copies From, whose content is the same
	Touch                 // the content is there; only the mtime is set
	Mkdir                 // Path is a directory
)

// Step is one action for the remote. Its number orders it within the plan: a step waits for every
// earlier step whose paths overlap its own (equal, above or beneath), and for nothing else.
//
// The steps of a cycle can be a million, so the struct is kept at 72 bytes.
type Step struct {
	Seq    int64 // grows over the life of the journal; assigned by Begin, 0 before
	Path   string
	From   string          // of a Move and of a Copy
	Old    *snapshot.Entry // what the base holds at From of a Move, at Path otherwise; nil: nothing
	New    *snapshot.Entry // what the base will hold at Path, as planned; nil: nothing
	Files  int32           // of a Move with Dir: files beneath it
	Action Action
	How    How
	Reason Reason
	Dir    bool // of a Move or Delete: a whole directory; of a Send: Mkdir
	Held   bool // stopped by a guard until a person approves
}

// Reason says in a word or two why a step is needed. It is what --json prints and what explain cites.
type Reason uint8

const (
	New          Reason = 1 + iota // the path did not exist
	Modified                       // the content differs
	ContentKnown                   // the remote holds this content elsewhere
	Mtime                          // only the mtime differs
	Renamed                        // the same file or directory under another path
	Deleted                        // gone from the source
	Replaced                       // must go because something else takes its path
	Emptied                        // a directory that nothing is left in
	Parked                         // a temporary name, to untangle a swap or a cycle
	Stale                          // a temporary file that an interrupted run left
	Unverified                     // verify found that the remote differs
	Metadata                       // only the mode, the owner or the like differs
)

var (
	actionNames = [...]string{Send: "send", Move: "move", Delete: "delete"}
	howNames    = [...]string{Upload: "upload", Copy: "copy", Touch: "touch", Mkdir: "mkdir"}
	reasonNames = [...]string{
		New: "new", Modified: "modified", ContentKnown: "content known", Mtime: "mtime",
		Renamed: "renamed", Deleted: "deleted", Replaced: "replaced", Emptied: "emptied",
		Parked: "parked", Stale: "stale", Unverified: "unverified",
		Metadata: "metadata",
	}
)

func (a Action) String() string { return name(actionNames[:], int(a)) }
func (h How) String() string    { return name(howNames[:], int(h)) }
func (r Reason) String() string { return name(reasonNames[:], int(r)) }

func name(names []string, i int) string {
	if i <= 0 || i >= len(names) {
		return fmt.Sprintf("unknown(%d)", i)
	}
	return names[i]
}

// Plan is what turns the base into the head: steps in an order that can be executed, and what the
// base may learn at once.
type Plan struct {
	Steps   []Step
	Refresh []Refresh
}

// Validate reports the first thing that makes s impossible.
func (s *Step) Validate() error {
	bad := func(what string) error { return fmt.Errorf("step %v %q: %s", s.Action, s.Path, what) }
	switch {
	case s.Path == "":
		return bad("no path")
	case s.Action == Send && s.New == nil:
		return bad("nothing to send")
	case s.Action == Send && (s.How < Upload || s.How > Mkdir):
		return bad("no way to send")
	case s.Action == Send && (s.How == Copy) != (s.From != ""):
		return bad("a copy and only a copy has a from")
	case s.Action == Move && (s.From == "" || s.From == s.Path):
		return bad("no from")
	case s.Action == Move && (s.Old == nil || s.New == nil):
		return bad("a move has both entries")
	case s.Action == Delete && s.New != nil:
		return bad("a delete leaves nothing")
	case s.Action < Send || s.Action > Delete:
		return bad("no action")
	case s.Reason == 0 || int(s.Reason) >= len(reasonNames):
		return bad("no reason")
	}
	return nil
}
