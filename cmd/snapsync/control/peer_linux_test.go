package control_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
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
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			err = e
			return
		}
		var c net.Conn
		if c, err = net.Dial("unix", path); err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		var resp *http.Response
		if resp, err = http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			code = resp.StatusCode
			resp.Body.Close()
		}
	}()
	<-done
	return code, err
}
