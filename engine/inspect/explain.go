package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Explanation tells what is known about one path, and why it was or was not sent.
type Explanation struct {
	Path     string
	Base     *snapshot.Entry // what the remote is known to hold
	Head     *snapshot.Entry // what the source holds now
	Excluded bool            // by the filter
	Skipped  string          // what the source holds there, if that is something that is skipped: "a symlink"
	Verdict  string          // "synced", "will be sent", … in a sentence
	Rule     string          // the rule that decided
	Step     *journal.Step   // pending on this path, if any
	Failure  *journal.FailureRow
	History  []journal.HistoryRow // newest first
}

// explainHistory bounds how far back an Explanation goes.
const explainHistory = 10

// Explain looks at one path, at the source and in the journal. It reads the file only if its stat
// cannot tell, and needs no Conn.
func Explain(ctx context.Context, cfg Config, path string) (*Explanation, error) {
	x := &Explanation{Path: path}
	var err error
	if x.Base, err = cfg.Journal.Lookup(path); err != nil {
		return nil, err
	}
	x.Head, err = snapshot.Stat(cfg.Scan, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if skipped := (*snapshot.SkippedError)(nil); errors.As(err, &skipped) {
		x.Skipped = skipped.What
		x.Excluded = excluded(cfg.Scan.Filter, path, &skipped.Entry)
	} else if seen := x.Head; seen != nil {
		x.Excluded = excluded(cfg.Scan.Filter, path, seen)
	} else if x.Base != nil {
		x.Excluded = excluded(cfg.Scan.Filter, path, x.Base)
	}
	for step, err := range cfg.Journal.EachPending(0) {
		if err != nil {
			return nil, err
		}
		if step.Path == path || step.From == path {
			x.Step = step
			break
		}
	}
	if x.Failure, err = failureOf(cfg.Journal, path); err != nil {
		return nil, err
	}
	x.History, err = cfg.Journal.History(journal.HistoryQuery{Path: path, Limit: explainHistory, Newest: true})
	if err != nil {
		return nil, err
	}
	return x, cfg.decide(ctx, x)
}

// decide fills in the verdict and its rule, in the order in which a run would apply them.
func (cfg *Config) decide(ctx context.Context, x *Explanation) error {
	say := func(verdict, rule string) error {
		x.Verdict, x.Rule = verdict, rule
		return nil
	}
	base, head := x.Base, x.Head
	switch {
	case x.Excluded:
		return say("not synced", "a filter rule excludes it")
	case x.Skipped != "":
		return say("skipped", whySkipped(x))
	case head == nil && base == nil:
		return say("unknown", "neither the source nor the base has it")
	case head == nil && base.Flags.Has(snapshot.Retained):
		return say("retained", "deleted from the source; without --complete-sync the remote keeps it")
	case head == nil && cfg.CompleteSync:
		return say("will be deleted, or is the origin of a move", "the base has it and the source does not")
	case head == nil:
		return say("will be retained, or is the origin of a move", "the base has it and the source does not; without --complete-sync the remote keeps it")
	case base == nil && head.Kind == snapshot.Dir:
		return say("needs no step", "directories come with their files")
	case base == nil:
		return say("will be sent, moved or copied", "the source has it and the base does not")
	case base.Kind != head.Kind:
		return say("will be replaced", fmt.Sprintf("it was a %v and is a %v now", base.Kind, head.Kind))
	case head.Kind == snapshot.Dir:
		return say("synced", "a directory on both sides")
	case !base.Flags.Has(snapshot.Racy) && base.Flags&(snapshot.Adopted|snapshot.Retained) == 0 && base.SameStat(head):
		return say("synced", "size, mtime, ctime and inode are as acknowledged")
	case base.Size != head.Size:
		return say("will be sent", "the size differs from the base")
	}
	return cfg.decideByContent(ctx, x, say)
}

// whySkipped is the rule about what is neither a file nor a directory.
func whySkipped(x *Explanation) string {
	rule := "it is " + x.Skipped + ", and only files, directories and symlinks can be mirrored"
	if x.Skipped == "a symlink" {
		rule = "it is a symlink: --links keeps it as one, --copy-links mirrors what it points to"
	}
	if x.Base != nil {
		rule += "; what the remote holds there is deleted only if a person approves that, since the path is not empty"
	}
	return rule
}

func (cfg *Config) decideByContent(ctx context.Context, x *Explanation, say func(verdict, rule string) error) error {
	if x.Base.HashType != snapshot.XXH3 {
		return say("will be compared", "the stat differs from the base, and the base knows no hash of ours")
	}
	now, _, err := snapshot.HashFile(ctx, cfg.Scan, x.Path)
	if err != nil {
		return say("cannot be read", err.Error())
	}
	x.Head = &now
	switch {
	case !now.SameContent(x.Base):
		return say("will be sent", "size is the same, the content is not: it was read and hashed")
	case now.Mtime != x.Base.Mtime:
		return say("will be touched", "the content is the same, only the mtime differs")
	case cfg.Metadata && (now.Mode != x.Base.Mode || now.Ctime != x.Base.Ctime):
		return say("will be touched, or sent", "the content is the same; the mode, the owner or an attribute may differ")
	}
	return say("synced", "the stat could not tell, so it was read and hashed: the content is as acknowledged")
}

func failureOf(j *journal.Journal, path string) (*journal.FailureRow, error) {
	rows, err := j.Failures(execute.MaxFailures)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].Path == path {
			return &rows[i], nil
		}
	}
	return nil, nil
}
