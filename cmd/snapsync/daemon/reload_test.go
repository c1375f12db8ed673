package daemon

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// answers tells whether metrics are answered at addr.
func answers(addr string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

// The port for metrics moves, also to another address that the old one is in the way of, and stays where
// it was if it cannot.
func TestDaemonMovesPort(t *testing.T) {
	r := newDaemonRig(t, "one")
	r.loop("one", 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_, number, _ := net.SplitHostPort(free)
	l.Close()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	move := func(addr string) error {
		r.d.steer.Lock()
		defer r.d.steer.Unlock()
		return r.d.movePort(addr)
	}
	for _, c := range []struct {
		addr    string
		refused bool
		at      string // where it is answered then
	}{
		{free, false, free}, {":" + number, false, free}, {taken.Addr().String(), true, free}, {free, false, free}, {"", false, ""},
	} {
		if err := move(c.addr); (exit.Of(err).Status == exit.StatusUsage) != c.refused && err != nil || (err == nil) == c.refused {
			t.Errorf("%q: %v", c.addr, err)
		}
		if answers(free) != (c.at == free) {
			t.Errorf("%q: answered %v", c.addr, answers(free))
		}
	}
	if err := move(free); err != nil { // it ends with the process
		t.Error(err)
	}
}
