package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/rclone/rclone/fs/config/obscure"
	"github.com/rclone/rclone/lib/env"
	sshagent "github.com/xanzy/ssh-agent"
	"golang.org/x/crypto/ssh"

	"github.com/snapsync/snapsync/engine/remote"
)

// authMethods are the ways to log in that the options name, in the order in which rclone tries them:
// the agent, a key, a password.
func authMethods(opt *options) (methods []ssh.AuthMethod, err error) {
	if opt.KeyUseAgent || opt.Pass == "" && opt.KeyFile == "" && opt.KeyPem == "" {
		m, err := agentMethod(opt)
		if err != nil {
			return nil, err
		}
		methods = append(methods, m)
	}
	if opt.KeyFile != "" && !opt.KeyUseAgent || opt.KeyPem != "" {
		signer, err := keySigner(opt)
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if opt.Pass != "" {
		pass, err := obscure.Reveal(opt.Pass)
		if err != nil {
			return nil, fmt.Errorf("%w: pass: %w: `rclone obscure` makes what belongs there", remote.ErrFatal, err)
		}
		methods = append(methods, ssh.Password(pass), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = pass
				}
				return answers, nil
			}))
	}
	return methods, nil
}

// agentMethod offers the agent's keys, or only the one whose public half key_file is or stands beside.
func agentMethod(opt *options) (ssh.AuthMethod, error) {
	agent, _, err := sshagent.New()
	if err != nil {
		return nil, fmt.Errorf("%w: connect to the ssh-agent: %w: start one, or give the remote a key_file or a pass", remote.ErrFatal, err)
	}
	signers, err := agent.Signers()
	if err != nil {
		return nil, fmt.Errorf("%w: ask the ssh-agent for its keys: %w", remote.ErrFatal, err)
	}
	if opt.KeyFile == "" {
		return ssh.PublicKeys(signers...), nil
	}
	file := env.ShellExpand(opt.KeyFile)
	public, err := os.ReadFile(file + ".pub")
	if errors.Is(err, os.ErrNotExist) {
		public, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key_file: %w", remote.ErrFatal, err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(public)
	if err != nil {
		return nil, fmt.Errorf("%w: key_file: %s holds no public key: %w", remote.ErrFatal, file, err)
	}
	for _, s := range signers {
		if bytes.Equal(key.Marshal(), s.PublicKey().Marshal()) {
			return ssh.PublicKeys(s), nil
		}
	}
	return nil, fmt.Errorf("%w: key_file: the ssh-agent does not have the key of %s: `ssh-add` adds it", remote.ErrFatal, file)
}

// keySigner reads the private key, and the certificate for it if there is one.
func keySigner(opt *options) (ssh.Signer, error) {
	pem, err := privateKey(opt)
	if err != nil {
		return nil, err
	}
	var signer ssh.Signer
	if opt.KeyFilePass == "" {
		signer, err = ssh.ParsePrivateKey(pem)
	} else {
		var pass string
		if pass, err = obscure.Reveal(opt.KeyFilePass); err == nil {
			signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(pass))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the private key: %w", remote.ErrFatal, err)
	}
	if opt.PubKey == "" && opt.PubKeyFile == "" {
		return signer, nil
	}
	return certified(opt, signer)
}

func privateKey(opt *options) ([]byte, error) {
	if opt.KeyPem == "" {
		return readFile("key_file", env.ShellExpand(opt.KeyFile))
	}
	pem, err := strconv.Unquote(`"` + opt.KeyPem + `"`) // it is one line, with \n in it
	if err != nil {
		return nil, fmt.Errorf("%w: key_pem: %w: line ends are written as \\n", remote.ErrFatal, err)
	}
	return []byte(pem), nil
}

func certified(opt *options, signer ssh.Signer) (ssh.Signer, error) {
	text := []byte(opt.PubKey)
	if opt.PubKey == "" {
		var err error
		if text, err = readFile("pubkey_file", env.ShellExpand(opt.PubKeyFile)); err != nil {
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
