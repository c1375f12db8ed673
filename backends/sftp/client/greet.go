package client

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/engine/remote"
)

// Server is what a server said of itself.
type Server struct {
	PosixRename bool
	StatVFS     bool
	MaxWrite    int // bytes of content in one write; 0: it did not say
}

func (s *Session) greet() error {
	hello := binary.BigEndian.AppendUint32(nil, 5)
	hello = append(hello, fxpInit, 0, 0, 0, 3)
	if _, err := s.out.Write(hello); err != nil {
		return err
	}
	// A greeting begins with a length, and so with a zero. What comes in its place may be text.
	if first, err := s.in.Peek(1); err == nil && first[0] != 0 {
		text, _ := s.in.Peek(min(s.in.Buffered(), 200))
		if text := strings.TrimSpace(string(text)); text != "" {
			return fmt.Errorf("%w: the account has no SFTP, or its shell prints something at the log-in: %q", remote.ErrFatal, text)
		}
	}
	packet, err := s.packet()
	if err != nil {
		return err
	}
	d := decoder{b: packet[1:]}
	if version := d.uint32(); packet[0] != fxpVersion || version < 3 || d.bad {
		return fmt.Errorf("%w: greeting of type %d, version %d", ErrGarbled, packet[0], version)
	}
	hasLimits := false
	for len(d.b) > 0 && !d.bad {
		switch name, _ := d.string(), d.string(); name {
		case posixRename:
			s.Server.PosixRename = true
		case statVFS:
			s.Server.StatVFS = true
		case limits:
			hasLimits = true
		}
	}
	if hasLimits {
		return s.askLimits()
	}
	return nil
}

func (s *Session) askLimits() error {
	ask := newRequest(fxpExtended, limits)
	if _, err := s.out.Write(ask.appendTo(nil, 0)); err != nil {
		return err
	}
	packet, err := s.packet()
	if err != nil {
		return err
	}
	if packet[0] != fxpExtendedReply || len(packet) < 5 {
		return nil // then it has none
	}
	d := decoder{b: packet[5:]}
	d.take(16) // of a packet, of a read
	if n := d.uint64(); !d.bad {
		s.Server.MaxWrite = int(min(n, maxPacket))
	}
	if n := d.uint64(); !d.bad {
		s.Budget.handles.learn(n)
	}
	return nil
}
