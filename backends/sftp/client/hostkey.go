package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/snapsync/snapsync/engine/remote"
)

// HostKeys decides which servers are the ones that they claim to be.
type HostKeys struct {
	File string // of OpenSSH's format; "": anybody is believed
	// Remember: the key that a server shows first is added to File, which may not exist yet, and any other is refused
	// from then on. Without it only those in File are believed.
	Remember bool
	Log      *slog.Logger

	mu sync.Mutex // held while File is read and added to
}

// trust is the judgement of one connection's server.
type trust struct {
	k          *HostKeys
	address    string
	algorithms []string // that the server may show; nil: any
	refusal    error    // why the server was not believed
	first      ssh.PublicKey
}

// trust prepares the judgement. Of a server that is known, only keys of the types that are known are
// asked for: it may have others, which prove nothing.
func (k *HostKeys) trust(address string) *trust {
	t := &trust{k: k, address: address}
	if !k.Remember {
		return t
	}
	var unknown *knownhosts.KeyError
	if judge, err := k.read(); err == nil && errors.As(judge(address, noAddr{}, noKey{}), &unknown) {
		for _, known := range unknown.Want {
			if known.Key.Type() == ssh.KeyAlgoRSA { // which signs in three ways: the best first
				t.algorithms = append(t.algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			}
			t.algorithms = append(t.algorithms, known.Key.Type())
		}
	}
	return t
}

// read returns what is in the file now: another process may have added to it.
func (k *HostKeys) read() (ssh.HostKeyCallback, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	judge, err := knownhosts.New(k.File)
	if k.Remember && errors.Is(err, os.ErrNotExist) {
		return knownhosts.New()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the known host keys: %w", remote.ErrFatal, err)
	}
	return judge, nil
}

// check is an ssh.HostKeyCallback.
func (t *trust) check(address string, target net.Addr, key ssh.PublicKey) error {
	if t.k.File == "" {
		return nil
	}
	judge, err := t.k.read()
	if err == nil {
		err = judge(address, target, key)
	}
	var unknown *knownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &unknown):
		t.refusal = fmt.Errorf("%w: the key of %s: %w", remote.ErrFatal, address, err)
	case len(unknown.Want) > 0:
		t.refusal = changed(address, key, unknown.Want)
	case t.k.Remember:
		t.first = key
		return nil
	default:
		t.refusal = fmt.Errorf("%w: the key of %s, %s, is not in %s: if it is the right one, add it there, "+
			"for instance with `ssh-keyscan`: %w", remote.ErrFatal, address, fingerprint(key), t.k.File, err)
	}
	return t.refusal
}

// changed says what a person has to know when a server shows another key than before.
func changed(address string, key ssh.PublicKey, known []knownhosts.KnownKey) error {
	line := known[0]
	for _, k := range known {
		if k.Key.Type() == key.Type() {
			line = k
		}
	}
	return fmt.Errorf("%w: the key of %s has changed: it shows %s, and %s line %d has %s. Somebody may be posing "+
		"as the server. If it was set up anew, remove that line and run again",
		remote.ErrFatal, address, fingerprint(key), line.Filename, line.Line, fingerprint(line.Key))
}

func fingerprint(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// remember adds the key of a server that was not known. A crash in the middle of the line leaves a file
// that cannot be read; it is written in one call so that this does not happen.
func (t *trust) remember() error {
	if t.first == nil {
		return nil
	}
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if judge, err := knownhosts.New(t.k.File); err == nil && judge(t.address, noAddr{}, t.first) == nil {
		return nil // another connection was quicker
	}
	if err := os.MkdirAll(filepath.Dir(t.k.File), 0o700); err != nil {
		return fmt.Errorf("remember the key of %s: %w", t.address, err)
	}
	f, err := os.OpenFile(t.k.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remember the key of %s: %w", t.address, err)
	}
	_, err = f.WriteString(knownhosts.Line([]string{knownhosts.Normalize(t.address)}, t.first) + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("remember the key of %s: %w", t.address, err)
	}
	t.k.Log.Info("the server's host key is remembered; it will be refused with another",
		"server", t.address, "key", fingerprint(t.first), "file", t.k.File)
	return nil
}

// noKey and noAddr ask which keys are known: they are like none.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

type noAddr struct{}

func (noAddr) Network() string { return "tcp" }
func (noAddr) String() string  { return "0.0.0.0:0" }
