package sftp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/obscure"
	"github.com/rclone/rclone/fs/fshttp"
	"github.com/rclone/rclone/lib/env"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
)

// server is where the remote is and how it is reached, as rclone's options for it say. rctx carries rclone's
// configuration.
func (o *options) server(rctx context.Context, stateDir string, log *slog.Logger) (*client.Config, error) {
	login, err := o.login()
	if err != nil {
		return nil, err
	}
	auth, err := login.Methods()
	if err != nil {
		return nil, err
	}
	return &client.Config{
		Address: o.address(), User: o.User, Auth: auth, Keys: o.hostKeys(stateDir, log),
		Connect: func(ctx context.Context, address string, control func(string, string, syscall.RawConn) error) (net.Conn, error) {
			d := fshttp.NewDialer(rctx)
			d.Control = control
			return d.DialContext(ctx, "tcp", address)
		},
		Agent: fs.GetConfig(rctx).UserAgent, Subsystem: o.Subsystem, Command: o.ServerCommand, Env: o.SetEnv,
		HostKeyAlgorithms: o.HostKeyAlgorithms, Ciphers: o.Ciphers, KeyExchanges: o.KeyExchange, MACs: o.MACs,
		Insecure: o.UseInsecureCipher,
	}, nil
}

// login takes off what rclone puts on passwords, keys and paths.
func (o *options) login() (*client.Login, error) {
	l := &client.Login{
		UseAgent: o.KeyUseAgent, KeyFile: env.ShellExpand(o.KeyFile),
		Certificate: o.PubKey, CertificateFile: env.ShellExpand(o.PubKeyFile),
	}
	var err error
	if o.Pass != "" {
		pass, err := obscure.Reveal(o.Pass)
		if err != nil {
			return nil, fmt.Errorf("%w: pass: %w: `rclone obscure` makes what belongs there", remote.ErrFatal, err)
		}
		l.Pass = []byte(pass)
	}
	if o.KeyPem != "" {
		if l.Key, err = strconv.Unquote(`"` + o.KeyPem + `"`); err != nil { // it is one line, with \n in it
			return nil, fmt.Errorf("%w: key_pem: %w: line ends are written as \\n", remote.ErrFatal, err)
		}
	}
	if o.KeyFilePass != "" {
		if l.KeyPass, err = obscure.Reveal(o.KeyFilePass); err != nil {
			return nil, fmt.Errorf("%w: read the private key: %w", remote.ErrFatal, err)
		}
	}
	return l, nil
}

const knownHosts = "known_hosts"

// hostKeys obeys rclone's known_hosts_file, "none" included. Where the remote has none, rclone would believe anybody;
// here keys are remembered in a file of our own, in the same format.
func (o *options) hostKeys(stateDir string, log *slog.Logger) *client.HostKeys {
	switch {
	case o.KnownHostsFile == "none":
		return &client.HostKeys{Log: log}
	case o.KnownHostsFile != "":
		return &client.HostKeys{File: env.ShellExpand(o.KnownHostsFile), Log: log}
	case stateDir != "":
		return &client.HostKeys{File: filepath.Join(stateDir, knownHosts), Remember: true, Log: log}
	}
	return &client.HostKeys{Log: log}
}

// refused says whose log-in a server refused, by what, and what to do about it.
func (o *options) refused(section string, err error) error {
	proof, cure := "the key", "the public half of the key has to stand in ~/.ssh/authorized_keys of that account; `user` and `key_file` of the remote say who logs in, and by which key"
	switch {
	case o.Pass != "" && o.KeyFile == "" && o.KeyPem == "" && !o.KeyUseAgent:
		proof, cure = "the password", "check user and pass; `rclone obscure` makes what belongs into pass"
		if section != "" && !strings.HasPrefix(section, ":") {
			cure = fmt.Sprintf("`rclone config password %s pass NEW` sets another", section)
		}
	case o.Pass != "":
		proof = "both key and password"
	case o.KeyFile == "" && o.KeyPem == "":
		proof = "the keys of the ssh-agent"
	case o.KeyFile != "":
		proof = "the key " + o.KeyFile
	}
	return remote.WithHint(fmt.Errorf("%w: the server refuses %s of %s: %w", remote.ErrFatal, proof, o.User, err), "%s", cure)
}
