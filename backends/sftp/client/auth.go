package client

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	sshagent "github.com/xanzy/ssh-agent"
	"golang.org/x/crypto/ssh"

	"github.com/snapsync/snapsync/engine/remote"
)

// Login is what proves who we are. Errors name rclone's options for it.
type Login struct {
	Pass []byte // nil: none

	UseAgent bool   // the key is the ssh-agent's
	KeyFile  string // the private key, or with UseAgent which one: its public half, or what stands beside that
	Key      string // the private key itself, in PEM
	KeyPass  string // that it is locked with

	Certificate, CertificateFile string // of the key; "": none
}

// Methods are the ways to log in, in the order in which rclone tries them: the agent, a key, a password.
func (l *Login) Methods() (methods []ssh.AuthMethod, err error) {
	if l.UseAgent || l.Pass == nil && l.KeyFile == "" && l.Key == "" {
		m, err := l.agent()
		if err != nil {
			return nil, err
		}
		methods = append(methods, m)
	}
	if l.KeyFile != "" && !l.UseAgent || l.Key != "" {
		signer, err := l.signer()
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if l.Pass != nil {
		methods = append(methods, ssh.Password(string(l.Pass)), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = string(l.Pass)
				}
				return answers, nil
			}))
	}
	return methods, nil
}

// agent offers the agent's keys, or only the one whose public half KeyFile is or stands beside.
func (l *Login) agent() (ssh.AuthMethod, error) {
	agent, _, err := sshagent.New()
	if err != nil {
		return nil, fmt.Errorf("%w: connect to the ssh-agent: %w: start one, or give the remote a key_file or a pass", remote.ErrFatal, err)
	}
	signers, err := agent.Signers()
	if err != nil {
		return nil, fmt.Errorf("%w: ask the ssh-agent for its keys: %w", remote.ErrFatal, err)
	}
	if l.KeyFile == "" {
		return ssh.PublicKeys(signers...), nil
	}
	public, err := os.ReadFile(l.KeyFile + ".pub")
	if errors.Is(err, os.ErrNotExist) {
		public, err = os.ReadFile(l.KeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key_file: %w", remote.ErrFatal, err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(public)
	if err != nil {
		return nil, fmt.Errorf("%w: key_file: %s holds no public key: %w", remote.ErrFatal, l.KeyFile, err)
	}
	for _, s := range signers {
		if bytes.Equal(key.Marshal(), s.PublicKey().Marshal()) {
			return ssh.PublicKeys(s), nil
		}
	}
	return nil, fmt.Errorf("%w: key_file: the ssh-agent does not have the key of %s: `ssh-add` adds it", remote.ErrFatal, l.KeyFile)
}

// signer reads the private key, and the certificate for it if there is one.
func (l *Login) signer() (signer ssh.Signer, err error) {
	pem := []byte(l.Key)
	if l.Key == "" {
		if pem, err = readFile("key_file", l.KeyFile); err != nil {
			return nil, err
		}
	}
	if l.KeyPass == "" {
		signer, err = ssh.ParsePrivateKey(pem)
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(l.KeyPass))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the private key: %w", remote.ErrFatal, err)
	}
	if l.Certificate == "" && l.CertificateFile == "" {
		return signer, nil
	}
	return l.certified(signer)
}

func (l *Login) certified(signer ssh.Signer) (ssh.Signer, error) {
	text := []byte(l.Certificate)
	if l.Certificate == "" {
		var err error
		if text, err = readFile("pubkey_file", l.CertificateFile); err != nil {
			return nil, err
		}
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: read the certificate: %w", remote.ErrFatal, err)
	}
	certificate, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, fmt.Errorf("%w: pubkey or pubkey_file holds a key that is no certificate: a plain public key is not needed", remote.ErrFatal)
	}
	signer, err = ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: use the certificate: %w", remote.ErrFatal, err)
	}
	return signer, nil
}

// readFile reads a file that the configuration names.
func readFile(option, path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", remote.ErrFatal, option, err)
	}
	return content, nil
}
