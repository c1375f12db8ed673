package execute

import (
	"slices"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Batch is what has to be known of the pending steps while they are executed. The steps themselves are in the journal.
type Batch struct {
	Steps, UploadBytes int64            // without what is held
	LastWork           int64            // Seq of the last step that is not a delete: the deletes after it wait for all before them
	Saved              map[int64]int64  // by Seq of a directory's move, the bytes beneath it
	BackedOff          map[int64]string // by Seq, the class of its failure: the step failed lately, and is not tried now
	After              int64            // the steps with a Seq above it were planned last
}

// Add takes in steps that the journal has numbered, and the changes that they were made from.
func (b *Batch) Add(steps []journal.Step, changes []snapshot.Change) {
	for i := range steps {
		s := &steps[i]
		if s.Action != journal.Delete {
			b.LastWork = s.Seq
		}
		if s.Action == journal.Move && s.Dir {
			if b.Saved == nil {
				b.Saved = make(map[int64]int64)
			}
			b.Saved[s.Seq] = BytesBeneath(changes, s.From)
		}
		if s.Held {
			continue
		}
		b.Steps++
		if s.Action == journal.Send && s.How == journal.Upload {
			b.UploadBytes += s.New.Size
		}
	}
}

// BytesBeneath sums the files of the base beneath dir. If dir moved, changes have them all.
func BytesBeneath(changes []snapshot.Change, dir string) (sum int64) {
	i, _ := slices.BinarySearchFunc(changes, dir, func(c snapshot.Change, d string) int {
		return snapshot.ComparePaths(c.Path, d)
	})
	for ; i < len(changes) && (changes[i].Path == dir || snapshot.Beneath(changes[i].Path, dir)); i++ {
		if old := changes[i].Old; old != nil && old.Kind == snapshot.File {
			sum += old.Size
		}
	}
	return sum
}
