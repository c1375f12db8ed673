package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/engine/lookup"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// scanned is what one scan of the source found.
type scanned struct {
	head     *snapshot.Head
	changes  []snapshot.Change  // head's, hashed where needed, less what could not be read
	problems []snapshot.Problem // head's, and what could not be read
	base     snapshot.Base      // what was compared with
	whole    bool               // all of the source was scanned
	within   []snapshot.Scope   // these places were scanned, if not
}

// scan compares the source with base, which is the journal's or is about to be, at scopes; nil: everywhere. It reads what
// the stat alone cannot tell.
func (r *run) scan(ctx context.Context, scopes []snapshot.Scope, base snapshot.Base) (*scanned, error) {
	r.phase("scanning")
	cfg := r.scanConfig()
	cfg.Within = scopes
	head, err := snapshot.Scan(ctx, cfg, base)
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", cfg.Root, err)
	}
	if r.cfg.Staying {
		r.warn(head.Unproven, scopes == nil)
	}
	s := &scanned{head: head, changes: head.Changes, problems: head.Problems, base: base, whole: scopes == nil, within: scopes}
	head.Changes = nil
	if len(s.changes) == 0 {
		return s, nil
	}
	if !r.beside { // else they are in use
		if err := r.learnCaps(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.hash(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

func (r *run) scanConfig() snapshot.Config {
	cfg := r.cfg.Scan
	cfg.Mounts, cfg.AnyMount = r.state.Mounts, r.decided.NewSourceApproved
	return cfg
}

// hash reads the files whose content decides the plan, in parallel.
func (r *run) hash(ctx context.Context, s *scanned) error {
	known, err := knownSizes(r.cfg.Journal, s.changes, r.caps.Copy)
	if err != nil {
		return err
	}
	needs := plan.Needs(s.changes, r.caps, func(size int64) bool { return known[size] })
	if len(needs) == 0 {
		return nil
	}
	r.phase("hashing")
	failed := make([]error, len(needs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for n, i := range needs {
		group.Go(func() error {
			failed[n] = hashChange(ctx, r.cfg.Scan, &s.changes[i])
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("hash: %w", err)
	}
	s.drop(needs, failed)
	return nil
}

// hashChange fills in the hash of c.New, with the stat that belongs to what was read. An adopted
// entry is compared in the remote's algorithm: its hash is turned into ours if they agree, so that
// one read serves both.
func hashChange(ctx context.Context, cfg snapshot.Config, c *snapshot.Change) error {
	var want []snapshot.HashType
	if c.Old != nil && c.Old.HashType > snapshot.XXH3 {
		want = append(want, c.Old.HashType)
	}
	now, others, err := snapshot.HashFile(ctx, cfg, c.Path, want...)
	if err != nil {
		return err
	}
	c.New = &now
	if len(want) > 0 && others[want[0]] == c.Old.Hash && c.Old.Size == now.Size {
		old := *c.Old
		old.HashType, old.Hash = now.HashType, now.Hash
		c.Old = &old
	}
	return nil
}

// drop takes out the changes whose file vanished meanwhile: they are left to the next scan. A file that
// cannot be read, or that is being written to, stays, unhashed: to send it is tried, and says why it
// cannot be.
func (s *scanned) drop(indexes []int, errs []error) {
	gone := make(map[int]bool)
	for n, i := range indexes {
		if errors.Is(errs[n], fs.ErrNotExist) {
			gone[i] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	kept := make([]snapshot.Change, 0, len(s.changes)-len(gone))
	for i, c := range s.changes {
		if !gone[i] {
			kept = append(kept, c)
		}
	}
	s.changes = kept
}

// knownSizes returns which sizes of new content the base holds somewhere: only where one matches can
// a copy on the remote replace an upload, and only then is a file read before it is sent.
func knownSizes(j *journal.Journal, changes []snapshot.Change, copies bool) (map[int64]bool, error) {
	if !copies {
		return nil, nil
	}
	sizes := make(map[int64]bool)
	for _, c := range changes {
		if c.New != nil && c.New.Kind == snapshot.File && c.New.Size > 0 {
			sizes[c.New.Size] = true
		}
	}
	list := make([]int64, 0, len(sizes))
	for size := range sizes {
		list = append(list, size)
	}
	slices.Sort(list)
	return j.Sizes(list)
}

// plan turns what was seen into steps.
func (r *run) plan(s *scanned) (journal.Plan, error) {
	if len(s.changes) == 0 {
		return journal.Plan{}, nil
	}
	known, err := knownContent(r.cfg.Journal, &r.caps, s.changes, r.inDoubt)
	if err != nil {
		return journal.Plan{}, err
	}
	covered := pathset.New(&remote.Caps{})
	for _, c := range s.head.Covered {
		covered.Count(c.Path, 1)
	}
	kept, variants := lookup.NewPopulated(s.base, s.changes), lookup.NewCaseVariants(&r.caps, s.base, s.changes)
	in := plan.Input{
		Changes: s.changes, Caps: r.caps,
		CompleteSync: r.cfg.CompleteSync, EmptyDirs: r.cfg.EmptyDirs, Metadata: r.cfg.Metadata,
		Known: known, Kept: kept.Beneath, Covered: covered.Covers, Outside: kept.At, CaseVariant: variants.Find,
		Survived: func(old, now int) bool {
			return snapshot.Survived(r.cfg.Scan, s.changes[now].Path, s.changes[old].Old)
		},
	}
	s.problems = slices.Clip(s.head.Problems)
	for _, c := range plan.Conflicts(&in) {
		s.problems = append(s.problems, snapshot.Problem{Path: s.changes[c.Change].Path, Err: c.Err()})
	}
	steps := plan.Make(in)
	return steps, errors.Join(kept.Close(), variants.Close())
}

// knownContent finds, for the new content that was hashed, a path of the base that holds it and that
// this plan does not touch.
func knownContent(j *journal.Journal, caps *remote.Caps, changes []snapshot.Change, inDoubt []journal.Step) (map[plan.Content]string, error) {
	if !caps.Copy {
		return nil, nil
	}
	known := make(map[plan.Content]string)
	unsure := pathset.ClaimsOf(caps, inDoubt) // what they touch is not known while the remote is away
	for _, c := range changes {
		if c.New == nil || c.New.Kind != snapshot.File || c.New.HashType != snapshot.XXH3 || c.New.Size == 0 {
			continue
		}
		content := plan.Content{Size: c.New.Size, Hash: c.New.Hash}
		if _, done := known[content]; done {
			continue
		}
		path, ok, err := j.Holding(content.Size, content.Hash)
		if err != nil {
			return nil, err
		}
		if ok && !plan.Changed(changes, path) && !unsure.Overlaps(&journal.Step{Path: path}) {
			known[content] = path
		}
	}
	return known, nil
}
