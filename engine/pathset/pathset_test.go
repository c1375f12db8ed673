package pathset

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// related is the definition that pathSet.overlaps makes fast.
func related(a, b string) bool {
	return a == b || snapshot.Beneath(a, b) || snapshot.Beneath(b, a)
}

// stepsOverlap is the definition that claims.overlaps makes fast.
func stepsOverlap(a, b *journal.Step) bool {
	writes := func(s *journal.Step) []string {
		if s.Action == journal.Move {
			return []string{s.Path, s.From}
		}
		return []string{s.Path}
	}
	reads := func(s *journal.Step) []string {
		if s.How == journal.Copy {
			return []string{s.From}
		}
		return nil
	}
	any := func(x, y []string) bool {
		for _, p := range x {
			for _, q := range y {
				if related(p, q) {
					return true
				}
			}
		}
		return false
	}
	return any(writes(a), writes(b)) || any(writes(a), reads(b)) || any(reads(a), writes(b))
}

func TestClaimsAgreeWithTheDefinition(t *testing.T) {
	path := rapid.StringMatching(`[ab]{1,2}(/[ab]{1,2}){0,2}`)
	step := rapid.Custom(func(t *rapid.T) *journal.Step {
		s := &journal.Step{Path: path.Draw(t, "path")}
		switch rapid.IntRange(0, 3).Draw(t, "action") {
		case 0:
			s.Action, s.From = journal.Move, path.Draw(t, "from")
		case 1:
			s.Action, s.How, s.From = journal.Send, journal.Copy, path.Draw(t, "from")
		case 2:
			s.Action = journal.Delete
		default:
			s.Action, s.How = journal.Send, journal.Upload
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfN(step, 0, 4).Draw(t, "members")
		removed := rapid.IntRange(0, len(members)).Draw(t, "removed")
		c := NewClaims(&remote.Caps{})
		for _, m := range members {
			c.Add(m)
		}
		for _, m := range members[:removed] {
			c.Remove(m)
		}
		s := step.Draw(t, "step")
		want := false
		for _, m := range members[removed:] {
			want = want || stepsOverlap(m, s)
		}
		if got := c.Overlaps(s); got != want {
			t.Fatalf("overlaps(%+v) = %v, want %v, with %+v", *s, got, want, members[removed:])
		}
	})
}

func TestClaimsFoldCaseWhereTheRemoteDoes(t *testing.T) {
	upper := &journal.Step{Action: journal.Send, How: journal.Upload, Path: "Dir/F"}
	lower := &journal.Step{Action: journal.Delete, Path: "dir"}
	for _, folds := range []bool{false, true} {
		c := NewClaims(&remote.Caps{CaseInsensitive: folds})
		c.Add(upper)
		if got := c.Overlaps(lower); got != folds {
			t.Errorf("CaseInsensitive %v: overlaps = %v", folds, got)
		}
	}
}
