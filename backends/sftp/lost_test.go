package sftp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

func send(t *testing.T, c *connection, path, content string) {
	t.Helper()
	if err := c.Send(t.Context(), path, enginetest.Text(content, day)); err != nil {
		t.Fatal(err)
	}
}

// TestReconnect breaks connections while nothing and while something is under way.
func TestReconnect(t *testing.T) {
	server := startServer(t)
	line := startLink(t, server.address, 0)
	dir := t.TempDir()
	c := accelerated(t, backends.Config{Remote: remoteAt(line.address, dir), Wait: 5 * time.Second})
	defer c.Close()
	send(t, c, "d/a", "1")
	line.cut()
	for n := 0; ; n++ { // the first call may still meet the old connection
		err := c.Send(t.Context(), "d/b", enginetest.Text("2", day))
		if err == nil {
			break
		}
		if !errors.Is(err, remote.ErrOffline) || n > 0 {
			t.Fatal(err)
		}
	}
	line.sever(1 << 20)
	err := c.Send(t.Context(), "d/c", &enginetest.Source{Content: randomBytes(4 << 20), Mtime: day})
	if !errors.Is(err, remote.ErrOffline) {
		t.Errorf("a connection that breaks gives %v", err)
	}
	line.sever(0)
	send(t, c, "d/c", "3")
	if err := c.Cleanup(t.Context(), "d/c"); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "d")); err != nil || len(left) != 3 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestBlackHole is a server that says no more, while a call waits and before one.
func TestBlackHole(t *testing.T) {
	server := startServer(t)
	line := startLink(t, server.address, 0)
	const wait = 2 * time.Second
	c := accelerated(t, backends.Config{Remote: remoteAt(line.address, t.TempDir()), Wait: wait})
	defer c.Close()
	send(t, c, "a", "1")
	line.setDead(true)
	for name, call := range map[string]func() error{
		"send":  func() error { return c.Send(t.Context(), "a", enginetest.Text("2", day)) },
		"probe": func() error { return c.Probe(t.Context()) },
	} {
		began := time.Now()
		if err := call(); !errors.Is(err, remote.ErrOffline) {
			t.Errorf("%s: got %v", name, err)
		}
		if took := time.Since(began); took > 3*wait {
			t.Errorf("%s: it took %v to notice", name, took)
		}
	}
	line.setDead(false)
	line.cut()
	send(t, c, "a", "3")
}

// TestServerGone asks while there is nobody, and again when there is.
func TestServerGone(t *testing.T) {
	key := newHostKey(t)
	server := startServerAt(t, "127.0.0.1:0", key)
	c := accelerated(t, backends.Config{Remote: server.remote(t.TempDir()), Wait: 10 * time.Second})
	defer c.Close()
	server.stop()
	for range 2 {
		began := time.Now()
		if err := c.Probe(t.Context()); !errors.Is(err, remote.ErrOffline) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v to notice", took)
		}
	}
	startServerAt(t, server.address, key)
	send(t, c, "a", "1")
}

// TestSlowServer checks that a server whose SFTP is busy, but which answers on the level of SSH, is waited
// for, however long.
func TestSlowServer(t *testing.T) {
	server := startServer(t)
	c := accelerated(t, backends.Config{Remote: server.remote(t.TempDir()), Wait: time.Second})
	defer c.Close()
	server.set(func() { server.pause = 3 * time.Second })
	began := time.Now()
	send(t, c, "a", "1")
	if time.Since(began) < 2*time.Second {
		t.Error("the server did not stall")
	}
}

// TestLatency sends as many files as the engine would at once: they take little longer than one.
func TestLatency(t *testing.T) {
	server := startServer(t)
	line := startLink(t, server.address, 50*time.Millisecond)
	c := accelerated(t, backends.Config{Remote: remoteAt(line.address, t.TempDir())})
	defer c.Close()
	send(t, c, "first", "1")
	began := time.Now()
	send(t, c, "second", "2")
	one := time.Since(began)
	began = time.Now()
	sendMany(t, c, c.Caps().Transfers)
	if all := time.Since(began); all > 4*one {
		t.Errorf("%d files took %v, one took %v", c.Caps().Transfers, all, one)
	}
}

// TestFewConnections has a server that takes one connection only: work goes on with that.
func TestFewConnections(t *testing.T) {
	server := startServer(t)
	server.set(func() { server.most = 1 })
	dir := t.TempDir()
	c := accelerated(t, backends.Config{Remote: server.remote(dir)})
	defer c.Close()
	sendMany(t, c, 500)
	if n := server.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 500 {
		t.Errorf("%d files, %v", len(all), err)
	}
}

// TestConnections checks that a crowd gets more connections, up to the option's number, and that idle
// ones are closed.
func TestConnections(t *testing.T) {
	server := startServer(t)
	line := startLink(t, server.address, 2*time.Millisecond)
	remote := ":sftp,connections=2,idle_timeout=500ms" + remoteAt(line.address, t.TempDir())[len(":sftp"):]
	c := accelerated(t, backends.Config{Remote: remote})
	defer c.Close()
	if n := server.connections(); n != 1 {
		t.Errorf("%d connections at first", n)
	}
	sendMany(t, c, 2000)
	if n := server.connections(); n != 2 {
		t.Errorf("%d connections in a crowd", n)
	}
	for deadline := time.Now().Add(10 * time.Second); server.connections() > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("idle connections are not closed")
		}
	}
	send(t, c, "again", "1")
}

func sendMany(t *testing.T, c *connection, n int) {
	t.Helper()
	var wg sync.WaitGroup
	paths := make(chan string)
	for range c.Caps().Transfers {
		wg.Go(func() {
			for path := range paths {
				if err := c.Send(t.Context(), path, enginetest.Text("content", day)); err != nil {
					t.Errorf("send %s: %v", path, err)
				}
			}
		})
	}
	for i := range n {
		paths <- fmt.Sprintf("f%d", i)
	}
	close(paths)
	wg.Wait()
}

// Requests as testServer counts them: draft-ietf-secsh-filexfer-02, section 3.
const (
	sentOpen     = 3
	sentClose    = 4
	sentWrite    = 6
	sentLstat    = 7
	sentSetstat  = 9
	sentRemove   = 13
	sentMkdir    = 14
	sentStat     = 17
	sentRename   = 18
	sentExtended = 200
)

// TestRequests counts what things cost.
func TestRequests(t *testing.T) {
	server := startServer(t)
	c := accelerated(t, backends.Config{Remote: server.remote(t.TempDir())})
	defer c.Close()
	send(t, c, "d/a", "1")
	server.counts()

	send(t, c, "d/b", "2")
	if err := c.Send(t.Context(), "d/empty", enginetest.Text("", day)); err != nil {
		t.Fatal(err)
	}
	got := server.counts()
	want := map[byte]int{sentOpen: 2, sentWrite: 1, sentClose: 2, sentSetstat: 2, sentExtended: 2}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("two small files cost %v, want %v", got, want)
	}

	for i := range 20 { // directories in a new directory are made without a look
		send(t, c, fmt.Sprintf("new/%d/f", i), "x")
	}
	got = server.counts()
	if got[sentMkdir] > 22 || got[sentOpen] > 21 || got[sentStat]+got[sentLstat] > 0 {
		t.Errorf("20 directories with a file each cost %v", got)
	}

	if err := c.Move(t.Context(), "new", "moved", true, nil); err != nil {
		t.Fatal(err)
	}
	if got = server.counts(); got[sentRename] != 1 || len(got) != 2 {
		t.Errorf("the move of a directory cost %v", got)
	}
	if err := errors.Join(c.Delete(t.Context(), []string{"d/a", "d/b", "gone"})...); err != nil {
		t.Fatal(err)
	}
	if got = server.counts(); got[sentRemove] != 3 || len(got) != 1 {
		t.Errorf("three deletes cost %v", got)
	}
}

// TestOpenOffline asks for servers where nobody listens, where somebody takes the call and says nothing, and
// where somebody hangs up.
func TestOpenOffline(t *testing.T) {
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	nobody, silent, rude := listen(), listen(), listen()
	_ = nobody.Close()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	for who, l := range map[string]net.Listener{"nobody": nobody, "silent": silent, "rude": rude} {
		began := time.Now()
		_, err := backends.Open(t.Context(), backends.Config{Remote: remoteAt(l.Addr().String(), "/"), Wait: 2 * time.Second})
		if !errors.Is(err, remote.ErrOffline) {
			t.Errorf("%s: got %v", who, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it took %v to notice", who, took)
		}
	}
}
