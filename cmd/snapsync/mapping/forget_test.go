package mapping

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gofrs/flock"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/journal"
)

// A crash after the journal was removed, and before what SQLite keeps beside it, leaves nothing that the next
// journal of the mapping takes for its own.
func TestForgetInterrupted(t *testing.T) {
	m := &Mapping{ID: "m", Dir: t.TempDir(), Source: "/s", Key: "/r"}
	open := func() *journal.Journal {
		t.Helper()
		j, err := journal.Open(m.JournalPath(), journal.Mapping{Source: m.Source, Remote: m.Key})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	if err := journal.Update(j, func(d *journal.Decisions) { d.Paused = true }); err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadFile(m.JournalPath() + "-wal")
	if err != nil || len(beside) == 0 {
		t.Fatalf("%d bytes beside the journal, %v", len(beside), err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.JournalPath()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.JournalPath()+"-wal", beside, 0o600); err != nil {
		t.Fatal(err)
	}
	j = open()
	defer j.Close()
	state, err := j.State()
	if err != nil || state.Paused {
		t.Errorf("the state after it was forgotten: %+v, %v", state, err)
	}
	if problems, err := j.Check(t.Context()); err != nil || problems != nil {
		t.Errorf("%q, %v", problems, err)
	}
}

// A mapping that somebody took while a person thought about it is not forgotten.
func TestForgetTaken(t *testing.T) {
	m := &Mapping{ID: "m", Dir: filepath.Join(t.TempDir(), "m")}
	if err := os.Mkdir(m.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.JournalPath(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := lockByHand(t, m.Dir)
	if err := m.Forget(); exit.Of(err).Status != exit.StatusLocked || !m.HasState() {
		t.Errorf("%v, state %v", err, m.HasState())
	}
	taken()
	if err := m.Forget(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(m.Dir); !os.IsNotExist(err) {
		t.Errorf("its directory is left: %v", err)
	}
}

// Who waits for the lock of a mapping that is forgotten gets one that others see.
func TestForgetWhileWaitedFor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be removed here")
	}
	for range 3 {
		m := &Mapping{ID: "m", Dir: filepath.Join(t.TempDir(), "m")}
		if err := os.Mkdir(m.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		type taken struct {
			*lock
			error
		}
		got, stop := make(chan taken, 1), make(chan struct{})
		go func() {
			for {
				l, err := takeLock(t.Context(), m.Dir, Holder{})
				select {
				case <-stop:
					got <- taken{l, err}
					return
				default:
				}
				if err == nil {
					l.release()
				}
			}
		}()
		for n := 0; n < 5; { // it is taken and let go all the time: only now and then it is ours
			if err := os.WriteFile(filepath.Join(m.Dir, "x"), nil, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			switch err := m.Forget(); {
			case err == nil:
				n++
			case exit.Of(err).Status != exit.StatusLocked && !errors.Is(err, fs.ErrNotExist):
				t.Fatal(err)
			}
		}
		close(stop)
		l := <-got
		if l.error != nil {
			t.Fatal(l.error)
		}
		if h, running := HolderOf(m.Dir); !running || h.PID != os.Getpid() {
			t.Errorf("held by %v, running %v", h, running)
		}
		l.release()
	}
}

// lockByHand takes the lock of a state directory as another process would.
func lockByHand(t *testing.T, dir string) (release func()) {
	t.Helper()
	l := flock.New(lockPath(dir))
	if ok, err := l.TryLock(); !ok || err != nil {
		t.Fatalf("lock: %v, %v", ok, err)
	}
	return func() { l.Close() }
}
