package rig

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// CancelAfterSend runs until a file was sent, and is cancelled before the engine hears of it.
func (r *Rig) CancelAfterSend() {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.Wrap = func(c remote.Connection) remote.Connection {
		return &Wrapped{Connection: c, sent: func(string) { cancel() }}
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.T.Fatalf("want no error or context.Canceled, got %v", err)
	}
	r.Wrap = nil
}

// Kill runs until the n-th operation, from which on nothing reaches the remote, nor the journal.
func (r *Rig) Kill(n int, when enginetest.When) {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := r.Remote.Ops() + n
	var once sync.Once
	var killed journalFiles
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.N < at {
			return nil
		}
		fault := enginetest.Fault{Err: context.Canceled}
		once.Do(func() {
			fault.When = when
			killed = r.journalFiles()
			cancel()
		})
		return &fault
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.T.Fatal(err)
	}
	r.Remote.Fail = nil
	r.restore(killed)
}

// KillAfterWrite runs until the n-th write of the journal is durable, from which on nothing reaches the remote, nor the
// journal. It returns what was written; "" if the run ended before, for want of writes.
func (r *Rig) KillAfterWrite(n int) (op string) {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var dead atomic.Bool
	var killed journalFiles
	r.Remote.Fail = func(enginetest.Op) *enginetest.Fault {
		if dead.Load() {
			return &enginetest.Fault{Err: context.Canceled}
		}
		return nil
	}
	r.With(func(e *engine.Engine, j *journal.Journal) {
		j.Intercept(func(what string, durable bool) error {
			if !durable || dead.Load() {
				return nil
			}
			if n--; n == 0 {
				killed, op = r.journalFiles(), what
				dead.Store(true)
				cancel()
			}
			return nil
		})
		if _, err := e.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			r.T.Fatal(err)
		}
	})
	r.Remote.Fail = nil
	r.restore(killed)
	return op
}

// journalFiles are what a journal consists of, by path: what a killed process leaves.
type journalFiles map[string][]byte

func (r *Rig) journalFiles() journalFiles {
	files := make(journalFiles)
	for _, file := range []string{r.DB, r.DB + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.T.Error(err)
		}
		files[file] = content
	}
	return files
}

// restore makes the journal what it was; nil: it stays.
func (r *Rig) restore(files journalFiles) {
	r.T.Helper()
	if files == nil {
		return
	}
	Must(r.T, os.RemoveAll(r.DB+"-shm"))
	for file, content := range files {
		Must(r.T, os.WriteFile(file, content, 0o600))
	}
}
