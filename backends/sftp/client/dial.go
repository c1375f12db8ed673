package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/snapsync/snapsync/engine/remote"
)

// Config says where an SFTP server is, how to get there, and who we are there. What has no comment is as in
// golang.org/x/crypto/ssh.
type Config struct {
	Address string // host:port
	User    string
	Auth    []ssh.AuthMethod
	Keys    *HostKeys // which servers are believed
	// Connect makes the TCP connection. control has to be the Control of the net.Dialer that does.
	Connect func(ctx context.Context, address string, control func(network, address string, socket syscall.RawConn) error) (net.Conn, error)

	Agent     string   // what we call ourselves
	Subsystem string   // that is asked for
	Command   string   // started in place of a subsystem; "": none is
	Env       []string // NAME=VALUE, set there

	HostKeyAlgorithms, Ciphers, KeyExchanges, MACs []string // nil: what is safe
	Insecure                                       bool     // some that are not safe any more are taken as well
}

// hangUpPauses are between the attempts to get past a server that hangs up before it says a word, as sshd does at its
// MaxStartups.
var hangUpPauses = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second}

// Dial makes one session, which does nothing before Start. ctx bounds it. ErrOffline means that somebody took the call
// and hung up; that nobody did is an error of the network.
func Dial(ctx context.Context, c *Config) (*Session, error) {
	for n := 0; ; n++ {
		s, err := c.once(ctx)
		if err == nil {
			return s, nil
		}
		err = fmt.Errorf("connect to %s: %w", c.Address, err)
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
			return nil, err
		}
		if n == len(hangUpPauses) {
			return nil, fmt.Errorf("%w: %w", remote.ErrOffline, err)
		}
		select {
		case <-time.After(hangUpPauses[n]):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", remote.ErrOffline, err)
		}
	}
}

func (c *Config) once(ctx context.Context) (*Session, error) {
	l := &conn{}
	conn, err := c.Connect(ctx, c.Address, l.note)
	if err != nil {
		return nil, err
	}
	l.Conn = conn
	// Neither the handshake nor the greeting knows a context: they end with the connection.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s, err := c.session(l)
	l.calm.Store(true)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (c *Config) session(l *conn) (*Session, error) {
	l.beat()
	config, trusted := c.ssh()
	conn, channels, requests, err := ssh.NewClientConn(l, c.Address, config)
	if refusal := trusted.refusal; refusal != nil {
		return nil, refusal // what ssh makes of it says less
	}
	if err != nil {
		return nil, refusedLogin(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	// Only now: a server that does not let us in is not one to remember.
	if err := trusted.remember(); err != nil {
		return nil, err
	}
	return c.subsystem(client, l)
}

func (c *Config) subsystem(client *ssh.Client, l *conn) (*Session, error) {
	sub, err := client.NewSession()
	if err != nil && !errors.As(err, new(*ssh.OpenChannelError)) {
		return nil, fmt.Errorf("%w: the connection ended after the log-in: %w", remote.ErrOffline, err)
	} else if err != nil {
		return nil, fmt.Errorf("open an SSH session: %w", err)
	}
	for _, pair := range c.Env {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("%w: set_env: %q has no =", remote.ErrFatal, pair)
		}
		if err := sub.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("%w: the server does not take the environment variable %s: %w", remote.ErrFatal, name, err)
		}
	}
	in, err := sub.StdoutPipe()
	if err != nil {
		return nil, err
	}
	out, err := sub.StdinPipe()
	if err != nil {
		return nil, err
	}
	if c.Command != "" {
		err = sub.Start(c.Command)
	} else {
		err = sub.RequestSubsystem(c.Subsystem)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the log-in works, but the server has no SFTP for this account: %w", remote.ErrFatal, err)
	}
	s, err := newSession(client, in, out, l)
	if err != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		if _, _, gone := client.SendRequest("keepalive@openssh.com", true, nil); gone == nil {
			return nil, fmt.Errorf("%w: the log-in works, but the server's SFTP ends before it says a word: look at Subsystem in "+
				"its sshd_config, and at its log (%v)", remote.ErrFatal, err) // no EOF, which Dial would try again
		}
	}
	return s, err
}

// ErrLogin means that a server does not let us in.
var ErrLogin = errors.New("the log-in is refused")

// refusedLogin finds out whether that is what ssh means. 51 is SSH_MSG_USERAUTH_FAILURE: ssh does not expect it from a
// server that offers questions and then asks none.
func refusedLogin(err error) error {
	for _, phrase := range []string{"unable to authenticate", "unexpected message type 51"} {
		if strings.Contains(err.Error(), phrase) {
			return fmt.Errorf("%w: %w", ErrLogin, err)
		}
	}
	return err
}

// ssh makes the configuration of one connection, to which its host key callback belongs.
func (c *Config) ssh() (*ssh.ClientConfig, *trust) {
	t := c.Keys.trust(c.Address)
	config := &ssh.ClientConfig{
		User:              c.User,
		Auth:              c.Auth,
		HostKeyCallback:   t.check,
		HostKeyAlgorithms: t.algorithms,
		ClientVersion:     "SSH-2.0-" + clientVersion(c.Agent),
	}
	if len(c.HostKeyAlgorithms) > 0 {
		config.HostKeyAlgorithms = c.HostKeyAlgorithms
	}
	config.SetDefaults()
	if c.Insecure {
		config.Ciphers = append(config.Ciphers, "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
		config.KeyExchanges = append(config.KeyExchanges, "diffie-hellman-group-exchange-sha1", "diffie-hellman-group-exchange-sha256")
	}
	if len(c.Ciphers) > 0 {
		config.Ciphers = c.Ciphers
	}
	if len(c.KeyExchanges) > 0 {
		config.KeyExchanges = c.KeyExchanges
	}
	if len(c.MACs) > 0 {
		config.MACs = c.MACs
	}
	return config, t
}

// clientVersion makes of a name what a greeting may hold: RFC 4253, section 4.2, allows neither blanks nor minus signs.
func clientVersion(agent string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '-' {
			return '_'
		}
		return r
	}, agent)
}
