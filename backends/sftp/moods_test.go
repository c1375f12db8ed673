package sftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// mood is what a server refuses that others do.
type mood struct {
	refuses map[byte]uint32 // requests of these types, with this status
	opens   int             // files that may be open at a time; 0: any number
	tells   bool            // the server tells of that limit
	mute    bool            // SFTP ends before a word

	most, refused int // files that were open at a time, and opens refused
}

// Types of packets: section 3 of the draft.
const (
	typeOpen, typeClose, typeSetstat, typeMkdir, typeExtended = 3, 4, 9, 14, 200
	typeStatus, typeExtendedReply                             = 101, 201
)

// moody is the channel of a server with a mood: what is refused does not reach the server.
type moody struct {
	ssh.Channel
	s *testServer

	rest    []byte // of a request that is passed on
	open    int
	writing sync.Mutex
	greeted bool
}

func (c *moody) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		var length [4]byte
		if _, err := io.ReadFull(c.Channel, length[:]); err != nil {
			return 0, err
		}
		packet := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(c.Channel, packet); err != nil {
			return 0, err
		}
		if reply := c.judge(packet); reply != nil {
			if _, err := c.Write(reply); err != nil {
				return 0, err
			}
			continue
		}
		c.rest = append(length[:], packet...)
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// judge returns the answer to what the server does not do.
func (c *moody) judge(packet []byte) []byte {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m := &c.s.mood
	status, refused := m.refuses[packet[0]]
	switch kind := packet[0]; {
	case kind == typeOpen && m.opens > 0 && c.open >= m.opens:
		m.refused++
		status, refused = 4, true
	case kind == typeOpen:
		c.open++
		m.most = max(m.most, c.open)
	case kind == typeClose:
		c.open--
	case kind == typeExtended && m.tells && strings.Contains(string(packet[5:]), "limits@openssh.com"):
		reply := append([]byte{0, 0, 0, 37, typeExtendedReply}, packet[1:5]...)
		for _, limit := range []int{256 << 10, 255 << 10, 255 << 10, m.opens} {
			reply = binary.BigEndian.AppendUint64(reply, uint64(limit))
		}
		return reply
	}
	if !refused {
		return nil
	}
	text := map[uint32]string{3: "Permission denied", 4: "Failure", 8: ""}[status]
	reply := append([]byte{0, 0, 0, byte(17 + len(text)), typeStatus}, packet[1:5]...)
	reply = binary.BigEndian.AppendUint32(reply, status)
	reply = binary.BigEndian.AppendUint32(reply, uint32(len(text)))
	return append(append(reply, text...), 0, 0, 0, 0)
}

func (c *moody) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.s.mu.Lock()
	tells := c.s.mood.tells && !c.greeted
	c.s.mu.Unlock()
	c.greeted = true
	if !tells {
		return c.Channel.Write(p)
	}
	hello := []byte{2, 0, 0, 0, 3}
	for _, text := range []string{"posix-rename@openssh.com", "1", "limits@openssh.com", "1"} {
		hello = append(binary.BigEndian.AppendUint32(hello, uint32(len(text))), text...)
	}
	_, err := c.Channel.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(hello))), hello...))
	return len(p), err
}

// lines collects what is logged at warnings and above.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(p))
	return len(p), nil
}

// TestFewHandles sends many files at once to servers that have few handles: nothing fails, and the limit that a server
// tells is kept to.
func TestFewHandles(t *testing.T) {
	for _, tells := range []bool{true, false} {
		t.Run(fmt.Sprintf("tells=%v", tells), func(t *testing.T) {
			server := startServer(t)
			server.set(func() { server.mood = mood{opens: 5, tells: tells} })
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil { // the channel counts opens, also ones that find no directory
				t.Fatal(err)
			}
			c := accelerated(t, backends.Config{Remote: server.remote(dir)})
			const files = 200
			errs := make(chan error, files)
			for i := range files {
				go func() {
					errs <- c.Send(t.Context(), fmt.Sprintf("d/f%d", i), &enginetest.Source{Content: []byte("x"), Mtime: day})
				}()
			}
			for range files {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if there, err := os.ReadDir(filepath.Join(dir, "d")); len(there) != files {
				t.Errorf("%d files are there, %v", len(there), err)
			}
			server.mu.Lock()
			m := server.mood
			server.mu.Unlock()
			if m.most == 0 || m.most > 5 || tells && m.refused > 0 || !tells && m.refused == 0 {
				t.Errorf("at most %d were open, %d opens were refused", m.most, m.refused)
			}
			if n := c.Throttled(); (n > 0) == tells {
				t.Errorf("told the engine of %d refusals", n)
			}
		})
	}
}

// TestWordlessFailure is an open that fails for another reason: the error comes soon, and has words.
func TestWordlessFailure(t *testing.T) {
	server := startServer(t)
	c := accelerated(t, backends.Config{Remote: server.remote(t.TempDir())})
	server.set(func() { server.mood = mood{refuses: map[byte]uint32{typeOpen: 4}} })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := c.Send(ctx, "f", &enginetest.Source{Content: []byte("x"), Mtime: day})
	if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "does not say why") {
		t.Error(err)
	}
}

// TestTimesRefused: content is sent once and stands, and the refusal is said once.
func TestTimesRefused(t *testing.T) {
	for _, status := range []uint32{3, 4, 8} {
		server := startServer(t)
		server.set(func() { server.mood = mood{refuses: map[byte]uint32{typeSetstat: status}} })
		dir, log := t.TempDir(), &lines{}
		c := accelerated(t, backends.Config{
			Remote: server.remote(dir), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		touched := &enginetest.Source{Content: []byte("x"), Mtime: day}
		if err := os.WriteFile(filepath.Join(dir, "other"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Touch(t.Context(), "other", touched.Entry(), nil); !errors.Is(err, remote.ErrCannotMove) {
			t.Errorf("status %d: the first touch: %v, want one that leads to a send", status, err)
		}
		for _, size := range []int{1, 20, smallFile + 1} {
			path := fmt.Sprintf("f%d", size)
			if err := c.Send(t.Context(), path, &enginetest.Source{Content: randomBytes(size), Mtime: day}); err != nil {
				t.Errorf("status %d: %v", status, err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, path)); string(got) != string(randomBytes(size)) {
				t.Errorf("status %d: %d bytes are there, %v", status, len(got), err)
			}
		}
		if err := c.Touch(t.Context(), "other", touched.Entry(), nil); err != nil {
			t.Errorf("status %d: %v", status, err)
		}
		if len(log.text) != 1 || !strings.Contains(log.text[0], "set_modtime") {
			t.Errorf("status %d: logged %q", status, log.text)
		}
	}
}

// TestNoRightToRoot: where the remote's directory cannot be made, every step would fail, so the first ends the run.
func TestNoRightToRoot(t *testing.T) {
	server := startServer(t)
	server.set(func() { server.mood = mood{refuses: map[byte]uint32{typeMkdir: 3}} })
	root := filepath.Join(t.TempDir(), "work")
	c := accelerated(t, backends.Config{Remote: server.remote(root)})
	err := c.Send(t.Context(), "d/f", &enginetest.Source{Content: []byte("x"), Mtime: day})
	var hint interface{ Hint() string }
	if !errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), root) || !errors.As(err, &hint) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(hint.Hint(), "home of the login: "+root[1:]) {
		t.Errorf("hint %q", hint.Hint())
	}

	// In a remote that is there, what one directory refuses is no reason to end the run.
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	c = accelerated(t, backends.Config{Remote: server.remote(root)})
	err = c.Send(t.Context(), "d/f", &enginetest.Source{Content: []byte("x"), Mtime: day})
	if !errors.Is(err, remote.ErrPermission) || errors.Is(err, remote.ErrFatal) {
		t.Errorf("got %v", err)
	}
	server.set(func() { server.mood = mood{refuses: map[byte]uint32{typeOpen: 3}} })
	err = c.Send(t.Context(), "f", &enginetest.Source{Content: []byte("x"), Mtime: day})
	if !errors.Is(err, remote.ErrPermission) || errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), fmt.Sprintf("write into %q", root)) {
		t.Errorf("got %v", err)
	}
}

// TestLoginRefused has the server refuse a password in both of the ways that ssh tells apart.
func TestLoginRefused(t *testing.T) {
	for _, questions := range []bool{false, true} {
		server := startServer(t)
		server.set(func() { server.closed = true })
		if questions {
			server.set(func() {
				server.config.KeyboardInteractiveCallback = func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
					return nil, errors.New("nobody is asked") // OpenSSH without PAM
				}
			})
		}
		c, err := backends.Open(t.Context(), backends.Config{Remote: server.remote("/")})
		if err == nil {
			_ = c.Close()
		}
		var hint interface{ Hint() string }
		if !errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), "refuses the password of u") || !errors.As(err, &hint) {
			t.Errorf("questions %v: got %v", questions, err)
		} else if !strings.Contains(hint.Hint(), "pass") {
			t.Errorf("questions %v: hint %q", questions, hint.Hint())
		}
	}
}

// TestMuteSubsystem: the log-in works and SFTP does not, which is no outage.
func TestMuteSubsystem(t *testing.T) {
	server := startServer(t)
	server.set(func() { server.mood.mute = true })
	c, err := backends.Open(t.Context(), backends.Config{Remote: server.remote("/")})
	if err == nil {
		_ = c.Close()
	}
	if !errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), "the log-in works") {
		t.Errorf("got %v", err)
	}
}
