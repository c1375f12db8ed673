package client

import (
	"errors"
	"fmt"
)

// Reply is one packet from the server, without its length and id. Each of its methods takes it for one kind of answer;
// for another it is an error, and if that is a refusal it is that one.
type Reply struct {
	kind byte
	body []byte
}

// ErrGarbled means that a server sent what the protocol does not allow. It has no class.
var ErrGarbled = errors.New("the server broke the SFTP protocol")

// Status is nil for SSH_FX_OK.
func (r *Reply) Status() error {
	if r.kind != fxpStatus {
		return fmt.Errorf("%w: packet of type %d", ErrGarbled, r.kind)
	}
	d := decoder{b: r.body}
	code, text := d.uint32(), []byte(nil)
	if len(d.b) > 0 { // some servers leave the text out
		text = d.bytes()
	}
	if d.bad {
		return ErrGarbled
	}
	if code == FXOK {
		return nil
	}
	return &statusError{code: code, text: string(text)}
}

// is returns nil if the reply is of the given type, else what it says instead.
func (r *Reply) is(kind byte) error {
	if r.kind == kind {
		return nil
	}
	if err := r.Status(); err != nil {
		return err
	}
	return fmt.Errorf("%w: success instead of an answer", ErrGarbled)
}

func (r *Reply) Handle() (string, error) {
	if err := r.is(fxpHandle); err != nil {
		return "", err
	}
	d := decoder{b: r.body}
	return d.string(), d.err()
}

func (r *Reply) Data() ([]byte, error) {
	if err := r.is(fxpData); err != nil {
		return nil, err
	}
	d := decoder{b: r.body}
	return d.bytes(), d.err()
}

func (r *Reply) Attrs() (Attrs, error) {
	if err := r.is(fxpAttrs); err != nil {
		return Attrs{}, err
	}
	d := decoder{b: r.body}
	return d.attrs(), d.err()
}

// Space is what a file system has left, and may take.
type Space struct {
	Free             uint64 // bytes
	Files, FreeFiles uint64 // how many there can be, and how many more; both 0 where they are not counted
	ReadOnly         bool
}

func (r *Reply) Space() (s Space, err error) {
	if err := r.is(fxpExtendedReply); err != nil {
		return s, err
	}
	d := decoder{b: r.body}
	d.uint64() // f_bsize
	block := d.uint64()
	d.take(16) // f_blocks, f_bfree
	s.Free = d.uint64() * block
	s.Files = d.uint64()
	d.uint64() // f_ffree
	s.FreeFiles = d.uint64()
	d.uint64() // f_fsid
	s.ReadOnly = d.uint64()&1 != 0
	return s, d.err()
}

// Names is what READDIR and REALPATH answer.
func (r *Reply) Names() ([]Named, error) {
	if err := r.is(fxpName); err != nil {
		return nil, err
	}
	d := decoder{b: r.body}
	list := make([]Named, 0, min(d.uint32(), 1000))
	for len(d.b) > 0 && !d.bad {
		n := Named{Name: d.string()}
		d.bytes() // the line of `ls -l`
		n.Attrs = d.attrs()
		list = append(list, n)
	}
	return list, d.err()
}

// Named is one name of a directory.
type Named struct {
	Name string
	Attrs
}

// Attrs are what the server tells of a file; what it does not tell is zero.
type Attrs struct {
	Size  uint64
	Mode  uint32 // as in POSIX
	Mtime uint32
}

func (a Attrs) IsDir() bool     { return a.Mode&modeType == modeDir }
func (a Attrs) IsRegular() bool { return a.Mode&modeType == modeRegular }
