package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// line is the network between the Connection and its server. Once so many bytes have passed towards the
// server, something happens to all connections of that moment; later ones are fine.
type line struct {
	remote string

	mu    sync.Mutex
	left  int64 // bytes until it happens; < 0: never
	what  fault
	pairs map[net.Conn]net.Conn
	dead  map[net.Conn]bool // swallows what it gets
	sent  int64
}

type fault string

const (
	closes fault = "closes" // an orderly end, in the middle
	resets fault = "resets"
	silent fault = "falls silent" // neither side hears anything any more
)

func newLine(t *testing.T, remote string) *line {
	t.Helper()
	_, _, _, options, err := fs.ConfigFs(remote)
	must(t, err)
	endpoint, _ := options.Get("endpoint")
	target, err := url.Parse(endpoint)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &line{left: -1, pairs: map[net.Conn]net.Conn{}, dead: map[net.Conn]bool{}}
	l.remote = with(remote, fmt.Sprintf("endpoint='http://%s'", listener.Addr()))
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { l.carry(client, target.Host) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.mu.Lock()
		for a, b := range l.pairs {
			a.Close()
			b.Close()
		}
		l.mu.Unlock()
		wg.Wait()
	})
	return l
}

func (l *line) carry(client net.Conn, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	l.mu.Lock()
	l.pairs[client] = server
	l.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { l.copy(client, server, client, true) })
	wg.Go(func() { l.copy(server, client, client, false) })
	wg.Wait()
	l.mu.Lock()
	delete(l.pairs, client)
	l.mu.Unlock()
	client.Close()
	server.Close()
}

// copy carries bytes one way; id is the client's end, by which the pair is known.
func (l *line) copy(from, to, id net.Conn, up bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if up {
			l.count(int64(n))
		}
		l.mu.Lock()
		dead := l.dead[id]
		l.mu.Unlock()
		if !dead && n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err == io.EOF && !dead {
			to.(*net.TCPConn).CloseWrite()
		}
		if err != nil {
			if err != io.EOF {
				from.Close()
				to.Close()
			}
			return
		}
	}
}

// count lets what was arranged happen.
func (l *line) count(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent += n
	if l.left < 0 {
		return
	}
	if l.left -= n; l.left > 0 {
		return
	}
	l.left = -1
	for client, server := range l.pairs {
		switch l.what {
		case silent:
			l.dead[client] = true
		case resets:
			client.(*net.TCPConn).SetLinger(0)
			client.Close()
			server.Close()
		case closes:
			client.Close()
			server.Close()
		}
	}
}

func (l *line) arrange(what fault, after int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.what, l.left, l.sent = what, after, 0
}

// TestBrokenLines sends a large file over a line that fails at some point: within a part, between two,
// with the completion. It is sent again as often as the engine would, and goes on where it was.
func TestBrokenLines(t *testing.T) {
	big := content(6*minPartSize + 12345)
	for _, what := range []fault{closes, resets, silent} {
		for _, after := range []int64{1, 2*minPartSize + 100_000, 5 * minPartSize, int64(len(big)) + 3000} {
			t.Run(fmt.Sprint(what, " after ", after), func(t *testing.T) {
				l := newLine(t, with(scratch(t), "upload_cutoff=0", "chunk_size=5M", "upload_concurrency=2"))
				c := dial(t, backends.Config{Remote: l.remote, Uploads: tempDiary(t), Rclone: rclone.Options{Options: map[string]string{"timeout": "2s"}}})
				l.arrange(what, after)
				var err error
				for try := range 3 {
					began := time.Now()
					if err = c.Send(t.Context(), "big", source(big)); err == nil {
						break
					}
					if !errors.Is(err, remote.ErrOffline) && !errors.Is(err, remote.ErrTemporary) {
						t.Errorf("try %d: %v", try, err)
					}
					if took := time.Since(began); took > 30*time.Second {
						t.Errorf("try %d took %v", try, took)
					}
				}
				must(t, err)
				got, err := download(t, l.remote, "big")
				must(t, err)
				if !bytes.Equal(got, big) {
					t.Error("other bytes arrived")
				}
				const inFlight = 2*minPartSize + 256<<10 // and what TCP holds
				if more := l.carried() - int64(len(big)); more > inFlight {
					t.Errorf("%d bytes more than the file were sent, and only %d were in flight", more, inFlight)
				}
			})
		}
	}
}

// carried is what has passed towards the server.
func (l *line) carried() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}
