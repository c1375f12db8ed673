package control_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
)

// Even where the modes let a stranger in, nobody but the owner is answered.
func TestPeerOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	r := serve(t)
	for path, mode := range map[string]os.FileMode{
		filepath.Dir(filepath.Dir(r.path)): 0o755, filepath.Dir(r.path): 0o755, r.path: 0o666,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for uid, want := range map[int]int{65534: http.StatusForbidden, 0: http.StatusOK} {
		if got, err := askAs(uid, r.path); err != nil || got != want {
			t.Errorf("user %d was answered with %d, %v; want %d", uid, got, err, want)
		}
	}
}

// askAs connects as another user: the system notes who connects, not who writes.
func askAs(uid int, path string) (code int, err error) {
	err = as(uid, func() error {
		c, err := net.Dial("unix", path)
		if err != nil {
			return err
		}
		defer c.Close()
		fmt.Fprint(c, "GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err
		}
		code = resp.StatusCode
		return resp.Body.Close()
	})
	return code, err
}

// as does something as another user, who is that of one thread only.
func as(uid int, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			done <- e
			return
		}
		done <- do()
	}()
	return <-done
}

// TestSocketOfAStranger asks a socket that another user made where ours would be, in a directory of hers, and one of hers in a
// directory of ours: she is asked nothing.
func TestSocketOfAStranger(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	const nobody = 65534
	root, err := os.MkdirTemp("", "snapsync") // short, and open to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, ours := range map[string]bool{"hers": false, "ours": true} {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, nobody, -1); err != nil {
			t.Fatal(err)
		}
		l, err := listenAs(nobody, filepath.Join(dir, "control.sock"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if ours { // the socket's file alone would deceive: who listens is what counts
			for _, p := range []string{dir, l.Addr().String()} {
				if err := os.Chown(p, 0, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		asked := make(chan string, 4)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				line, _ := bufio.NewReader(c).ReadString('\n')
				asked <- line
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				c.Close()
			}
		}()
		_, err = control.NewClient(l.Addr().String(), root).Version(t.Context())
		if !errors.Is(err, control.ErrForeign) || !errors.Is(err, control.ErrNotRunning) {
			t.Errorf("%s: %v", name, err)
		}
		select {
		case line := <-asked:
			if line != "" {
				t.Errorf("%s: she was asked %q", name, line)
			}
		case <-time.After(100 * time.Millisecond):
		}
		if err := os.Chown(root, nobody, -1); err != nil { // root asks on behalf of whose the states are
			t.Fatal(err)
		}
		if _, err := control.NewClient(l.Addr().String(), root).Version(t.Context()); err != nil {
			t.Errorf("%s: root may ask the owner of the states: %v", name, err)
		}
		if err := os.Chown(root, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
}

// listenAs makes a socket as another user: the system notes who listens.
func listenAs(uid int, path string) (l net.Listener, err error) {
	err = as(uid, func() (err error) { l, err = net.Listen("unix", path); return err })
	return l, err
}
