//go:build linux

package main_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/engine/loop"
)

// farProbe is a pause before the next probe that no test waits for: 45 s at least.
const farProbe = "SNAPSYNC_PROBE_MIN=1m"

// pulses are about what happens between two probes of a remote that is away.
func (p programs) pulses(t *testing.T, all []testRemote, seed uint64) {
	for _, r := range all {
		if r.name == "sftp" || r.name == "s3" {
			t.Run("return of "+r.name, func(t *testing.T) {
				t.Parallel()
				p.watched(t, r, seed).returns()
			})
		}
	}
	for kind, at := range map[string]string{
		"sftp": ":sftp,host=127.0.0.1,port=%d,user=u,pass=YUPzGm_Yhx-3YUPzGm_YhyY:x",
		"s3":   ":s3,provider=Other,access_key_id=a,secret_access_key=b,endpoint='http://127.0.0.1:%d':bucket",
	} {
		t.Run("silence of "+kind, func(t *testing.T) {
			t.Parallel()
			p.silence(t, at)
		})
	}
}

// returns cuts the line for longer than a pulse, and wants work to go on soon after it is whole again.
func (w *watched) returns() {
	w.kill()
	w.env = append(w.env, farProbe)
	w.start()
	w.rest()
	w.line.proxy.Stop()
	if err := os.WriteFile(filepath.Join(w.tree.root, "kept"), []byte("while it is away"), 0o644); err != nil {
		w.t.Fatal(err)
	}
	awaitState(w.t, w.socket, loop.Offline)
	time.Sleep(3 * time.Second)
	back := time.Now()
	if err := w.line.proxy.Start(); err != nil {
		w.t.Fatal(err)
	}
	kept := func(step string) bool { return strings.HasSuffix(step, " kept") }
	for !slices.ContainsFunc(w.steps(), kept) {
		if w.alive(); time.Since(back) > 20*time.Second {
			w.t.Fatalf("work did not go on before the next probe:\n%s", w.said("stdout", 1000))
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Logf("work went on %v after the return", time.Since(back).Round(time.Millisecond))
}

// silence starts without a server, and then has one that takes calls and says nothing. It must not be
// called once a second.
func (p programs) silence(t *testing.T, at string) {
	const most, listens = 4, 10 * time.Second
	dir := t.TempDir()
	runtime, err := os.MkdirTemp("", "run") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(runtime)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	m := &testMapping{programs: p, t: t, env: append(os.Environ(), "HOME="+dir, "RCLONE_CONFIG="+filepath.Join(dir, "rclone.conf"),
		"XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_RUNTIME_DIR="+runtime, farProbe)}
	process := m.command(context.Background(), p.snapsync, "run", t.TempDir(), "--remote", fmt.Sprintf(at, address.Port))
	var said strings.Builder
	process.Stderr = &said
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		if t.Failed() {
			t.Logf("the process said:\n%s", said.String())
		}
	}()
	awaitState(t, control.NewClient(filepath.Join(runtime, "snapsync", "control.sock"), ""), loop.Offline)
	if l, err = net.Listen("tcp", address.String()); err != nil {
		t.Fatal(err)
	}
	calls := silentServer(l)
	time.Sleep(listens)
	n := calls()
	if t.Logf("it was called %d times within %v", n, listens); n == 0 || n > most {
		t.Errorf("want 1 to %d", most)
	}
}

// silentServer takes calls until what it returns, the number of them, is asked for.
func silentServer(l net.Listener) func() int64 {
	var n atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			n.Add(1)
		}
	}()
	return func() int64 {
		l.Close()
		<-ended
		return n.Load()
	}
}

// awaitState waits until the only mapping of a process is in a state.
func awaitState(t *testing.T, socket *control.Client, state loop.State) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		reply, err := socket.Status(t.Context(), "")
		if err == nil && len(reply.Mappings) == 1 && reply.Mappings[0].State == string(state) {
			return
		}
		if time.Since(begun) > restAtMost {
			t.Fatalf("it is not %s: %+v, %v", state, reply, err)
		}
	}
}
