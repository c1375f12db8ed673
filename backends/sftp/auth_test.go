package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs/config/obscure"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestAuth logs in by each of the ways that rclone's options know, on a server that takes nothing else.
func TestAuth(t *testing.T) {
	server := startServer(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := func(block *pem.Block, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(block)
	}
	plain := text(ssh.MarshalPrivateKey(private, ""))
	file := write("key", plain)
	locked := write("locked", text(ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))))
	pass, err := obscure.Obscure("secret")
	if err != nil {
		t.Fatal(err)
	}
	certificate := certify(t, key)
	certFile := write("certificate", ssh.MarshalAuthorizedKey(certificate))
	publicFile := write("public", ssh.MarshalAuthorizedKey(key))
	startAgent(t, private)

	server.set(func() { server.closed = true })
	for _, tt := range []struct {
		options string
		allow   ssh.PublicKey
		fails   string
	}{
		{"key_file=" + file, key, ""},
		{"key_pem='" + strings.ReplaceAll(string(plain), "\n", `\n`) + "'", key, ""},
		{"key_file=" + locked + ",key_file_pass=" + pass, key, ""},
		{"key_file=" + file + ",pubkey_file=" + certFile, certificate, ""},
		{"key_file=" + file + ",pubkey='" + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(certificate))) + "'", certificate, ""},
		{"key_use_agent=true", key, ""},
		{"", key, ""}, // the agent
		{"key_use_agent=true,key_file=" + publicFile, key, ""},
		{"key_file=" + file, certificate, "unable to authenticate"},
		{"key_file=" + file + "-missing", key, "no such file"},
		{"key_file=" + locked, key, "read the private key"},
		{"key_file=" + file + ",pubkey_file=" + publicFile, key, "no certificate"},
		{"key_use_agent=true,key_file=" + write("other", ssh.MarshalAuthorizedKey(newHostKey(t).PublicKey())), key, "ssh-add"},
	} {
		server.set(func() { server.authorized = tt.allow })
		target := strings.Replace(server.remote("/"), ",pass="+testPassword, "", 1)
		if tt.options != "" {
			target = strings.Replace(target, ",host", ","+tt.options+",host", 1)
		}
		c, err := backends.Open(t.Context(), backends.Config{Remote: target})
		if err == nil {
			_ = c.Close()
		}
		switch {
		case tt.fails == "" && err != nil:
			t.Errorf("%.60s: %v", tt.options, err)
		case tt.fails != "" && (!errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), tt.fails)):
			t.Errorf("%.60s: got %v, want something about %q", tt.options, err, tt.fails)
		}
	}
}

func certify(t *testing.T, key ssh.PublicKey) *ssh.Certificate {
	t.Helper()
	c := &ssh.Certificate{Key: key, CertType: ssh.UserCert, ValidPrincipals: []string{"u"}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, newHostKey(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// startAgent starts an ssh-agent that holds one key.
func startAgent(t *testing.T, private ed25519.PrivateKey) {
	t.Helper()
	keyring := agent.NewKeyring()
	if err := keyring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("SSH_AUTH_SOCK", socket)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keyring, c) }()
		}
	}()
}
