package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// listener is a socket that a notifier speaks to.
type listener struct{ conn *net.UnixConn }

func listenForNotes(t *testing.T) listener {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("windows: no datagrams over unix sockets")
	}
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for the address of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return listener{conn}
}

// heard returns the next message, or "" if none comes within wait.
func (m listener) heard(t *testing.T, wait time.Duration) string {
	t.Helper()
	buf := make([]byte, 4096)
	if err := m.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	n, err := m.conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestNotifier(t *testing.T) {
	manager := listenForNotes(t)
	n := newSdnotify(slog.New(slog.DiscardHandler))
	n.Ready()
	n.Status("2 mappings\nREADY=0")
	n.Status("2 mappings\nREADY=0")
	n.Reloading()
	n.Stopping()
	var got []string
	for range 4 {
		got = append(got, manager.heard(t, 5*time.Second))
	}
	want := []string{"READY=1", "STATUS=2 mappings READY=0", "RELOADING=1", "STOPPING=1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWatchdogIsFedWhileAlive(t *testing.T) {
	manager := listenForNotes(t)
	t.Setenv("WATCHDOG_USEC", "150000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	var log bytes.Buffer
	n := newSdnotify(slog.New(slog.NewTextHandler(&log, nil)))
	var stuck atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Watchdog(ctx, func() error {
			if stuck.Load() {
				return errors.New("loop of work hangs")
			}
			return nil
		})
	}()
	for range 3 {
		if got := manager.heard(t, 5*time.Second); got != "WATCHDOG=1" {
			t.Fatalf("heard %q", got)
		}
	}
	stuck.Store(true)
	for manager.heard(t, 500*time.Millisecond) != "" { // what was under way; a fed watchdog would never end this
	}
	stuck.Store(false)
	if got := manager.heard(t, 5*time.Second); got != "WATCHDOG=1" {
		t.Errorf("alive again: heard %q", got)
	}
	cancel()
	<-ended
	if n := strings.Count(log.String(), "loop of work hangs"); n != 1 {
		t.Errorf("the log tells it %d times:\n%s", n, &log)
	}
}

func TestNotifierWithoutListener(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "1000")
	t.Setenv("WATCHDOG_PID", "1") // of another process
	n := newSdnotify(slog.New(slog.DiscardHandler))
	n.Ready()
	n.Watchdog(t.Context(), func() error { t.Error("asked without need"); return nil }) // returns at once
}

func TestNotifierLosesItsListener(t *testing.T) {
	manager := listenForNotes(t)
	var log bytes.Buffer
	n := newSdnotify(slog.New(slog.NewTextHandler(&log, nil)))
	manager.conn.Close()
	n.Ready()
	n.Stopping()
	if got := strings.Count(log.String(), "cannot be told"); got != 1 {
		t.Errorf("the log tells it %d times:\n%s", got, &log)
	}
}
