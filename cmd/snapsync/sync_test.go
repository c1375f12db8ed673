package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
)

func TestAwaited(t *testing.T) {
	live := func(cycles int64) *status.Live { return &status.Live{Cycles: cycles} }
	for _, c := range []struct {
		name   string
		status status.Status
		done   bool
		exit   int
	}{
		{"under way", status.Status{State: "idle", Live: live(2)}, false, exit.StatusOK},
		{"ended", status.Status{State: "idle", Live: live(3)}, true, exit.StatusOK},
		{"ended, and the next one runs", status.Status{State: "scanning", Live: live(3)}, false, exit.StatusOK},
		{"paused", status.Status{State: "paused", Paused: true, Live: live(2)}, true, exit.StatusTemporary},
		{"just resumed", status.Status{State: "paused", Live: live(3)}, false, exit.StatusOK},
		{"failed", status.Status{State: "idle", Failed: 1, Live: live(3)}, true, exit.StatusPartial},
		{"held", status.Status{State: "held", Held: 2, Live: live(3)}, true, exit.StatusHeld},
		{"offline", status.Status{State: "offline", Live: live(3)}, true, exit.StatusOffline},
	} {
		done, err := awaited(&c.status, 3)
		if done != c.done || err != nil && exit.Of(err).Status != c.exit || err == nil && c.exit != exit.StatusOK {
			t.Errorf("%s: done %v, %v", c.name, done, err)
		}
	}
}

// TestSilentProcess: a process that was stopped has its lock and its socket, and does not answer. Nobody is
// told that it keeps the mapping up to date, or that nothing is running.
func TestSilentProcess(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	dir, err := os.MkdirTemp("", "ctl") // short: there is a socket in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := control.Listen(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it takes connections, since the kernel does, and nothing else
	m := &mapping.Mapping{ID: "m-1", Source: "/source", Display: "/remote", Dir: filepath.Join(dir, "m-1")}
	if err := os.Mkdir(m.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := m.Open(t.Context(), mapping.Holder{Socket: l.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := &console.Printer{Out: io.Discard, Err: io.Discard}
	w := &world{Printer: p, Resolver: &settings.Resolver{Globals: &settings.Globals{StateDir: dir}, Printer: p, Log: slog.New(slog.DiscardHandler)}}
	impatient := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		t.Cleanup(cancel)
		w.Ctx = ctx
	}
	impatient()
	if live, silent := steer.Live(w.Ctx, mapping.Store{Root: dir}, []*mapping.Mapping{m}, w.Log); len(live) > 0 || !silent[m.ID] {
		t.Errorf("live: %v, silent: %v", live, silent)
	}
	impatient()
	if err := (&stopCmd{}).Run(w); !errors.Is(err, control.ErrSilent) {
		t.Errorf("stop: %v", err)
	}
}
