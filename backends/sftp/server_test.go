package sftp

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	pkgsftp "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// testServer is an SSH server in this process, with the SFTP server of pkg/sftp behind it. That one
// handles the writes of a session side by side, as OpenSSH does not.
type testServer struct {
	t        *testing.T
	address  string
	listener net.Listener
	config   *ssh.ServerConfig

	mu       sync.Mutex
	plain    bool // tells of no extensions: no posix-rename
	closed   bool // refuses all passwords
	most     int  // connections that are served at a time; 0: any number
	conns    map[net.Conn]bool
	requests map[byte]int  // by type
	pause    time.Duration // before the next answer

	authorized ssh.PublicKey // the key or certificate that gets in
	mood       mood
}

const testPassword = "YUPzGm_Yhx-3YUPzGm_YhyY" // obscured; what is in it does not matter

func startServer(t *testing.T) *testServer {
	t.Helper()
	return startServerAt(t, "127.0.0.1:0", newHostKey(t))
}

func newHostKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func startServerAt(t *testing.T, address string, key ssh.Signer) *testServer {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{
		t: t, address: l.Addr().String(), listener: l, conns: map[net.Conn]bool{}, requests: map[byte]int{},
	}
	s.config = &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return nil, errors.New("nobody gets in")
		}
		return nil, nil
	}, PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.authorized == nil || !bytes.Equal(key.Marshal(), s.authorized.Marshal()) {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}}
	s.config.AddHostKey(key)
	go s.accept()
	t.Cleanup(s.stop)
	return s
}

// stop closes the listener and every connection, as a server that dies does.
func (s *testServer) stop() {
	_ = s.listener.Close()
	s.cut()
}

func (s *testServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (s *testServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		full := s.most > 0 && len(s.conns) >= s.most
		if !full {
			s.conns[conn] = true
		}
		s.mu.Unlock()
		if full {
			_ = conn.Close()
			continue
		}
		go func() {
			s.serve(conn)
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		}()
	}
}

func (s *testServer) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// set changes what the server does from now on.
func (s *testServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// counts returns how many requests of each type came since the last call.
func (s *testServer) counts() map[byte]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.requests
	s.requests = map[byte]int{}
	return was
}

func (s *testServer) serve(conn net.Conn) {
	defer conn.Close()
	s.mu.Lock()
	config := *s.config
	s.mu.Unlock()
	c, channels, requests, err := ssh.NewServerConn(conn, &config)
	if err != nil {
		return
	}
	defer c.Close()
	go ssh.DiscardRequests(requests)
	for incoming := range channels {
		channel, requests, err := incoming.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem", nil)
				if r.Type == "subsystem" {
					go s.sftp(channel)
				}
			}
		}()
	}
}

func (s *testServer) sftp(channel ssh.Channel) {
	defer channel.Close()
	s.mu.Lock()
	mute := s.mood.mute
	s.mu.Unlock()
	if mute {
		return
	}
	server, err := pkgsftp.NewServer(&tapped{Channel: &moody{Channel: channel, s: s}, s: s})
	if err != nil {
		s.t.Error(err)
		return
	}
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
		s.t.Logf("sftp server: %v", err)
	}
}

// tapped counts the requests that pass, and hides the server's extensions if it is to be plain.
type tapped struct {
	ssh.Channel
	s *testServer

	head    []byte // of a packet that comes in: its length and type
	skip    int    // bytes of it that are still to come
	greeted bool   // the server's first packet has passed
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Channel.Read(p)
	for b := p[:n]; len(b) > 0; {
		if c.skip > 0 {
			k := min(c.skip, len(b))
			c.skip -= k
			b = b[k:]
			continue
		}
		k := min(5-len(c.head), len(b))
		c.head = append(c.head, b[:k]...)
		b = b[k:]
		if len(c.head) == 5 {
			c.s.mu.Lock()
			c.s.requests[c.head[4]]++
			c.s.mu.Unlock()
			c.skip = int(binary.BigEndian.Uint32(c.head)) - 1
			c.head = c.head[:0]
		}
	}
	return n, err
}

func (c *tapped) Write(p []byte) (int, error) {
	c.s.mu.Lock()
	pause, plain := c.s.pause, c.s.plain
	c.s.pause = 0
	c.s.mu.Unlock()
	time.Sleep(pause)
	if !plain || c.greeted {
		return c.Channel.Write(p)
	}
	c.greeted = true
	// The greeting is written in one piece: length, type, version, extensions.
	_, err := c.Channel.Write([]byte{0, 0, 0, 5, 2, 0, 0, 0, 3})
	return len(p), err
}

// remote is what rclone calls a directory on the server.
func (s *testServer) remote(dir string) string { return remoteAt(s.address, dir) }

func remoteAt(address, dir string) string {
	host, port, _ := net.SplitHostPort(address)
	if _, err := strconv.Atoi(port); err != nil {
		panic(err)
	}
	return ":sftp,host=" + host + ",port=" + port + ",user=u,pass=" + testPassword + ",shell_type=none:" + dir
}
