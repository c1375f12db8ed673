package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fshttp"
	"golang.org/x/crypto/ssh"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// dialer connects to one server as rclone's options for it say.
type dialer struct {
	opt  *options
	auth []ssh.AuthMethod
	keys *hostKeys
	rctx context.Context // only carries rclone's configuration
}

// Pauses between the attempts to get past a server that hangs up before it says a word, as sshd does at
// its MaxStartups. They add up to less than anybody would wait.
var hangUpPauses = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second}

// connect makes one session. ctx bounds it.
func (d *dialer) connect(ctx context.Context) (*session, error) {
	for n := 0; ; n++ {
		s, err := d.once(ctx)
		if err == nil || n == len(hangUpPauses) || !hungUp(err) {
			return s, d.class(ctx, err)
		}
		select {
		case <-time.After(hangUpPauses[n]):
		case <-ctx.Done():
			return nil, d.class(ctx, err)
		}
	}
}

// hungUp reports that a server took the call and ended it.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// class tells a server that is not there from one that does not want us.
func (d *dialer) class(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("connect to %s: %w", d.opt.address(), err)
	if hungUp(err) {
		return fmt.Errorf("%w: %w", remote.ErrOffline, err)
	}
	return rclone.Classify(ctx, err)
}

func (d *dialer) once(ctx context.Context) (*session, error) {
	l, tcp := &line{}, fshttp.NewDialer(d.rctx)
	tcp.Control = l.note
	conn, err := tcp.DialContext(ctx, "tcp", d.opt.address())
	if err != nil {
		return nil, err
	}
	l.Conn = conn
	// Neither the handshake nor the greeting knows a context: they end with the connection.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s, err := d.session(l)
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

func (d *dialer) session(l *line) (*session, error) {
	l.beat()
	config, trusted := d.config()
	c, channels, requests, err := ssh.NewClientConn(l, d.opt.address(), config)
	if refusal := trusted.refusal; refusal != nil {
		return nil, refusal // what ssh makes of it says less
	}
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
	// Only now: a server that does not let us in is not one to remember.
	if err := trusted.remember(); err != nil {
		return nil, err
	}
	return d.subsystem(client, l)
}

func (d *dialer) subsystem(client *ssh.Client, l *line) (*session, error) {
	sub, err := client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open an SSH session: %w", err)
	}
	for _, pair := range d.opt.SetEnv {
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
	if d.opt.ServerCommand != "" {
		err = sub.Start(d.opt.ServerCommand)
	} else {
		err = sub.RequestSubsystem(d.opt.Subsystem)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the server has no SFTP: %w", remote.ErrFatal, err)
	}
	return newSession(client, sub, in, out, l)
}

// config is made for each connection anew: its host key callback belongs to one.
func (d *dialer) config() (*ssh.ClientConfig, *trust) {
	t := d.keys.trust(d.opt.address())
	config := &ssh.ClientConfig{
		User:              d.opt.User,
		Auth:              d.auth,
		HostKeyCallback:   t.check,
		HostKeyAlgorithms: t.algorithms,
		ClientVersion:     "SSH-2.0-" + clientVersion(fs.GetConfig(d.rctx).UserAgent),
	}
	if len(d.opt.HostKeyAlgorithms) > 0 {
		config.HostKeyAlgorithms = d.opt.HostKeyAlgorithms
	}
	config.SetDefaults()
	if d.opt.UseInsecureCipher {
		config.Ciphers = append(config.Ciphers, "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
		config.KeyExchanges = append(config.KeyExchanges, "diffie-hellman-group-exchange-sha1", "diffie-hellman-group-exchange-sha256")
	}
	if len(d.opt.Ciphers) > 0 {
		config.Ciphers = d.opt.Ciphers
	}
	if len(d.opt.KeyExchange) > 0 {
		config.KeyExchanges = d.opt.KeyExchange
	}
	if len(d.opt.MACs) > 0 {
		config.MACs = d.opt.MACs
	}
	return config, t
}

// clientVersion is what a greeting may hold: RFC 4253, section 4.2, allows neither blanks nor minus signs.
func clientVersion(agent string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '-' {
			return '_'
		}
		return r
	}, agent)
}

// readFile reads a file that the configuration names.
func readFile(option, path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", remote.ErrFatal, option, err)
	}
	return content, nil
}
