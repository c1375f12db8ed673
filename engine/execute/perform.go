package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/engine/backoff"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/lookup"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// pauses are those between the attempts at one step.
var pauses = backoff.Pauses{First: 300 * time.Millisecond, Max: 20 * time.Second}

// performer is what the workers share. Its methods are called concurrently.
type performer struct {
	Config
	// For the limiter: bytes read to be sent, and requests that the remote had no room for.
	sent, throttles atomic.Int64
}

// cleanTemps removes what interrupted uploads may have left under temporary names, but for names that an upload of this
// plan replaces. After a crash the rest is still in the journal.
func (p *performer) cleanTemps(ctx context.Context) error {
	stale, err := p.Journal.StaleTemps()
	if err != nil {
		return err
	}
	for i, path := range stale {
		if err := p.Conn.Cleanup(ctx, path); err != nil {
			if EndsRun(err) {
				return fmt.Errorf("clean up after an interrupted upload: %w", err)
			}
			p.Log.Warn("cannot remove the rest of an interrupted upload", "path", path, "err", err)
			continue
		}
		if err := p.Journal.ForgetTemps(stale[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// perform does one job, a single step or a batch of deletes of files, once there is a slot.
func (p *performer) perform(ctx context.Context, job []journal.Step) []result {
	if p.Slots != nil && p.Slots.Acquire(ctx, 1) == nil { // else ctx is done, which each attempt sees for itself
		defer p.Slots.Release(1)
	}
	for i := range job {
		p.Observe(event.Event{Type: event.StepStart, Step: &job[i]})
	}
	if s := &job[0]; s.Action == journal.Delete && !s.Dir {
		return p.performDeletes(ctx, job)
	}
	done := result{step: job[0]}
	if done.err = p.backUp(ctx, &done); done.err == nil {
		done.err = p.attempt(ctx, &done.step, func() (err error) {
			done.entry, err = p.once(ctx, &done.step)
			done.inDoubt = done.inDoubt || err != nil && !certain(&done.step, err)
			return err
		})
	}
	if errors.Is(done.err, remote.ErrNotEmpty) && done.step.Action == journal.Delete {
		// Somebody else's files are in it, or ones that the filter excludes: theirs to remove.
		p.Log.Info("directory stays on the remote, it is not empty", "path", done.step.Path)
		done.err, done.stays = nil, true
	}
	done.inDoubt = done.inDoubt && done.err != nil
	return []result{done}
}

// backUp moves what a send replaces out of the way, if that is configured: once for a step, however often the send is
// tried, since a second time would move the new content over the backup of the old. From then on, until the send is
// acknowledged, the base is wrong about the path: the step is in doubt.
func (p *performer) backUp(ctx context.Context, done *result) error {
	s := &done.step
	replaces := s.Old != nil && s.Old.Kind != snapshot.Dir
	if !p.Caps.Backup || !replaces || s.How != journal.Upload && s.How != journal.Copy {
		return nil
	}
	done.inDoubt = true
	err := p.attempt(ctx, s, func() error { return p.Conn.Backup(ctx, s.Path) })
	if err != nil {
		return fmt.Errorf("back up what is replaced: %w", err)
	}
	return nil
}

// once tries a step one time, and returns what the remote holds at its path if it worked.
func (p *performer) once(ctx context.Context, s *journal.Step) (*snapshot.Entry, error) {
	switch s.Action {
	case journal.Send:
		return p.send(ctx, s)
	case journal.Move:
		return s.New, p.Conn.Move(ctx, s.From, s.Path, s.Dir, s.Old)
	case journal.Delete:
		return nil, p.removeDir(ctx, s.Path)
	}
	panic(fmt.Sprintf("execute: step without an action: %+v", *s))
}

// removeDir removes a directory if it is empty. A bucket does not know whether one is, but the base does: if it held nothing
// there, what is still in the directory would be forgotten.
func (p *performer) removeDir(ctx context.Context, path string) error {
	if p.Caps.BucketBased {
		switch _, file, err := lookup.AnyFile(p.Journal, path); {
		case err != nil:
			return err
		case file != nil:
			return remote.ErrNotEmpty
		}
	}
	return p.Conn.Rmdir(ctx, path)
}

func (p *performer) send(ctx context.Context, s *journal.Step) (*snapshot.Entry, error) {
	switch s.How {
	case journal.Upload:
		return p.upload(ctx, s)
	case journal.Copy:
		was, err := p.Journal.Lookup(s.From) // what earlier steps made of it is written down
		if err != nil {
			return nil, err
		}
		return s.New, p.Conn.Copy(ctx, s.From, s.Path, *s.New, was)
	case journal.Touch:
		return s.New, p.Conn.Touch(ctx, s.Path, *s.New, s.Old)
	case journal.Mkdir:
		return s.New, p.Conn.Mkdir(ctx, s.Path)
	}
	panic(fmt.Sprintf("execute: send without a way: %+v", *s))
}

// upload sends what the source holds now, which may be newer than what was planned, and returns the stat and hash of
// exactly what was sent.
func (p *performer) upload(ctx context.Context, s *journal.Step) (*snapshot.Entry, error) {
	content, err := snapshot.NewContent(p.Source, s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errVanished
	case err != nil:
		return nil, err
	}
	defer content.Close()
	if content.Entry().Kind != s.New.Kind {
		return nil, errVanished
	}
	content.OnRead = func(n int) {
		p.sent.Add(int64(n))
		p.Observe(event.Event{Type: event.StepProgress, Step: s, Bytes: int64(n)})
	}
	if err := p.Conn.Send(ctx, s.Path, contentSource{content}); err != nil {
		return nil, err
	}
	sent, whole := content.Result()
	if !whole && content.Entry().Size == 0 {
		if err := readEmpty(content); err != nil {
			return nil, &afterwards{err}
		}
		sent, whole = content.Result()
	}
	if !whole {
		return nil, fmt.Errorf("send %s: the connection did not read all of the file", s.Path)
	}
	return &sent, nil
}

// readEmpty reads an empty file, which HTTP and FTP have no reason to do: that it still is one is seen here.
func readEmpty(content *snapshot.Content) error {
	in, err := content.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, in.Close())
}

// contentSource is a snapshot.Content as a Source.
type contentSource struct{ *snapshot.Content }

func (c contentSource) Open() (io.ReadCloser, error) { return c.Content.Open() }

// performDeletes removes files, in one request where the remote can.
func (p *performer) performDeletes(ctx context.Context, job []journal.Step) []result {
	results := make([]result, len(job))
	todo := make([]int, len(job))
	for i := range job {
		results[i].step, todo[i] = job[i], i
	}
	// What may pass is tried again, together; what may not is left at its first answer.
	_ = p.attempt(ctx, &job[0], func() error {
		var left []int
		for n, err := range p.deleteOnce(ctx, job, todo) {
			i := todo[n]
			if results[i].err, results[i].inDoubt = err, err != nil; hopeful(err) {
				left = append(left, i)
			}
		}
		if todo = left; len(left) > 0 {
			return results[left[0]].err
		}
		return nil
	})
	return results
}

func (p *performer) deleteOnce(ctx context.Context, job []journal.Step, todo []int) []error {
	paths := make([]string, len(todo))
	for n, i := range todo {
		paths[n] = job[i].Path
	}
	if !p.Caps.Backup {
		return p.Conn.Delete(ctx, paths)
	}
	errs := make([]error, len(paths))
	for n, path := range paths {
		if job[todo[n]].Reason == journal.Stale {
			errs[n] = p.Conn.Delete(ctx, []string{path})[0]
			continue
		}
		errs[n] = p.Conn.Backup(ctx, path)
	}
	return errs
}

// Attempt tries something on the remote as a step is tried: see attempt. An Observer is told that it is about s.
func Attempt(ctx context.Context, cfg *Config, s *journal.Step, do func() error) error {
	return (&performer{Config: *cfg}).attempt(ctx, s, do)
}

// attempt calls do until that works, is hopeless, or was tried often enough. The error is remote.ErrOffline only if the
// remote does not even answer a probe: else one path that times out would end the run for all.
func (p *performer) attempt(ctx context.Context, s *journal.Step, do func() error) error {
	pause := time.Duration(0)
	for n := 1; ; n++ {
		err := do()
		p.throttles.Add(p.Conn.Throttled())
		if err == nil {
			return nil // even if ctx is done: it happened
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if errors.Is(err, remote.ErrOffline) {
			if errors.Is(p.Conn.Probe(ctx), remote.ErrOffline) {
				return err
			}
			err = fmt.Errorf("%w: %v", remote.ErrTemporary, err)
		}
		if errors.Is(err, remote.ErrTemporary) {
			p.throttles.Add(1)
		}
		if n >= p.Retries || !hopeful(err) {
			return err
		}
		pause = pauses.Next(pause)
		wait := backoff.Jitter(pause)
		p.Observe(event.Event{Type: event.StepRetry, Step: s, Err: err, Wait: wait})
		p.Log.Debug("trying again", "path", s.Path, "err", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
