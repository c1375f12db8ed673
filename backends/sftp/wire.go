package sftp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/engine/remote"
)

// Version 3 of the protocol, draft-ietf-secsh-filexfer-02, which is what servers speak, and those of
// OpenSSH's extensions (its file PROTOCOL) that are used here.
const (
	fxpInit          = 1
	fxpVersion       = 2
	fxpOpen          = 3
	fxpClose         = 4
	fxpRead          = 5
	fxpWrite         = 6
	fxpLstat         = 7
	fxpSetstat       = 9
	fxpOpendir       = 11
	fxpReaddir       = 12
	fxpRemove        = 13
	fxpMkdir         = 14
	fxpRmdir         = 15
	fxpRealpath      = 16
	fxpStat          = 17
	fxpRename        = 18
	fxpStatus        = 101
	fxpHandle        = 102
	fxpData          = 103
	fxpName          = 104
	fxpAttrs         = 105
	fxpExtended      = 200
	fxpExtendedReply = 201

	flagRead   = 0x01
	flagWrite  = 0x02
	flagCreate = 0x08
	flagTrunc  = 0x10

	attrSize     = 0x01
	attrOwner    = 0x02
	attrMode     = 0x04
	attrTimes    = 0x08
	attrExtended = 0x80000000

	posixRename = "posix-rename@openssh.com"
	statVFS     = "statvfs@openssh.com"
	limits      = "limits@openssh.com"
)

// request is one packet to the server, without its length and id: names, then numbers, then content. It is a
// value with room for all of them, so that none of the requests for many small files allocates.
type request struct {
	kind    byte
	names   [3]string // paths, handles, extensions
	nNames  int
	words   [4]uint32
	nWords  int
	content []byte // of a write
	lent    bool   // content is not copied: it stays as it is until the reply
}

func newRequest(kind byte, names ...string) request {
	r := request{kind: kind}
	r.nNames = copy(r.names[:], names)
	return r
}

// with adds numbers; those of 64 bits are two, the higher first.
func (r request) with(words ...uint32) request {
	r.nWords = copy(r.words[:], words)
	return r
}

// Requests that are answered by a handle.

// openRequest has no attributes: the server's umask rules.
func openRequest(path string, flags uint32) request { return newRequest(fxpOpen, path).with(flags, 0) }

func openDirRequest(path string) request { return newRequest(fxpOpendir, path) }

// Requests that are answered by a status alone.

func closeRequest(handle string) request { return newRequest(fxpClose, handle) }

func writeRequest(handle string, offset int64, content []byte) request {
	r := newRequest(fxpWrite, handle).with(uint32(offset>>32), uint32(offset), uint32(len(content)))
	r.content = content
	return r
}

// lendRequest is a write whose content is not copied: it must stay as it is until the reply.
func lendRequest(handle string, offset int64, content []byte) request {
	r := writeRequest(handle, offset, content)
	r.lent = true
	return r
}

// timesRequest sets both times, in whole seconds, which is all that version 3 has.
func timesRequest(path string, seconds int64) request {
	return newRequest(fxpSetstat, path).with(attrTimes, uint32(seconds), uint32(seconds))
}

func mkdirRequest(path string) request  { return newRequest(fxpMkdir, path).with(0) }
func rmdirRequest(path string) request  { return newRequest(fxpRmdir, path) }
func removeRequest(path string) request { return newRequest(fxpRemove, path) }

// renameRequest does not say what happens to a file at to.
func renameRequest(from, to string) request { return newRequest(fxpRename, from, to) }

// replaceRequest renames over whatever file is at to. It is for servers with posix-rename.
func replaceRequest(from, to string) request { return newRequest(fxpExtended, posixRename, from, to) }

// Requests that are answered by data, names or attributes.

func readRequest(handle string, offset int64, n int) request {
	return newRequest(fxpRead, handle).with(uint32(offset>>32), uint32(offset), uint32(n))
}

func readDirRequest(handle string) request { return newRequest(fxpReaddir, handle) }
func realpathRequest(path string) request  { return newRequest(fxpRealpath, path) }

// statRequest follows symbolic links on the server, lstatRequest does not.
func statRequest(path string) request  { return newRequest(fxpStat, path) }
func lstatRequest(path string) request { return newRequest(fxpLstat, path) }

// spaceRequest asks for the space of the file system of path. It is for servers with statvfs.
func spaceRequest(path string) request { return newRequest(fxpExtended, statVFS, path) }

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendTo frames a request. Content that is lent is left out: it is to follow.
func (r *request) appendTo(b []byte, id uint32) []byte {
	length := 1 + 4 + 4*r.nWords + len(r.content)
	for _, name := range r.names[:r.nNames] {
		length += 4 + len(name)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, r.kind)
	b = binary.BigEndian.AppendUint32(b, id)
	for _, name := range r.names[:r.nNames] {
		b = appendString(b, name)
	}
	for _, word := range r.words[:r.nWords] {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	if r.lent {
		return b
	}
	return append(b, r.content...)
}

// reply is one packet from the server, without its length and id.
type reply struct {
	kind byte
	body []byte
}

var errGarbled = errors.New("the server broke the SFTP protocol")

// status is nil for SSH_FX_OK.
func (r *reply) status() error {
	if r.kind != fxpStatus {
		return fmt.Errorf("%w: packet of type %d", errGarbled, r.kind)
	}
	d := decoder{b: r.body}
	code, text := d.uint32(), []byte(nil)
	if len(d.b) > 0 { // some servers leave the text out
		text = d.bytes()
	}
	if d.bad {
		return errGarbled
	}
	if code == fxOK {
		return nil
	}
	return &statusError{code: code, text: string(text)}
}

// is returns nil if the reply is of the given type, else what it says instead.
func (r *reply) is(kind byte) error {
	if r.kind == kind {
		return nil
	}
	if err := r.status(); err != nil {
		return err
	}
	return fmt.Errorf("%w: success instead of an answer", errGarbled)
}

func (r *reply) handle() (string, error) {
	if err := r.is(fxpHandle); err != nil {
		return "", err
	}
	d := decoder{b: r.body}
	return d.string(), d.err()
}

func (r *reply) data() ([]byte, error) {
	if err := r.is(fxpData); err != nil {
		return nil, err
	}
	d := decoder{b: r.body}
	return d.bytes(), d.err()
}

func (r *reply) attrs() (attrs, error) {
	if err := r.is(fxpAttrs); err != nil {
		return attrs{}, err
	}
	d := decoder{b: r.body}
	return d.attrs(), d.err()
}

// space is what a file system has left, and may take.
type space struct {
	free             uint64 // bytes
	files, freeFiles uint64 // how many there can be, and how many more; both 0 where they are not counted
	readOnly         bool
}

func (r *reply) space() (s space, err error) {
	if err := r.is(fxpExtendedReply); err != nil {
		return s, err
	}
	d := decoder{b: r.body}
	d.uint64() // f_bsize
	block := d.uint64()
	d.take(16) // f_blocks, f_bfree
	s.free = d.uint64() * block
	s.files = d.uint64()
	d.uint64() // f_ffree
	s.freeFiles = d.uint64()
	d.uint64() // f_fsid
	s.readOnly = d.uint64()&1 != 0
	return s, d.err()
}

// names is what READDIR and REALPATH answer.
func (r *reply) names() ([]named, error) {
	if err := r.is(fxpName); err != nil {
		return nil, err
	}
	d := decoder{b: r.body}
	list := make([]named, 0, min(d.uint32(), 1000))
	for len(d.b) > 0 && !d.bad {
		n := named{name: d.string()}
		d.bytes() // the line of `ls -l`
		n.attrs = d.attrs()
		list = append(list, n)
	}
	return list, d.err()
}

type named struct {
	name string
	attrs
}

// attrs are what the server tells of a file; what it does not tell is zero.
type attrs struct {
	size  uint64
	mode  uint32 // as in POSIX
	mtime uint32
}

const (
	modeType    = 0o170000
	modeDir     = 0o040000
	modeRegular = 0o100000
)

func (a attrs) isDir() bool     { return a.mode&modeType == modeDir }
func (a attrs) isRegular() bool { return a.mode&modeType == modeRegular }

// decoder takes a packet apart; bad once it was too short.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) err() error {
	if d.bad {
		return errGarbled
	}
	return nil
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return make([]byte, min(max(n, 0), 8))
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) uint32() uint32 { return binary.BigEndian.Uint32(d.take(4)) }
func (d *decoder) uint64() uint64 { return binary.BigEndian.Uint64(d.take(8)) }
func (d *decoder) bytes() []byte  { return d.take(int(d.uint32())) }
func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) attrs() (a attrs) {
	flags := d.uint32()
	if flags&attrSize != 0 {
		a.size = d.uint64()
	}
	if flags&attrOwner != 0 {
		d.take(8)
	}
	if flags&attrMode != 0 {
		a.mode = d.uint32()
	}
	if flags&attrTimes != 0 {
		d.uint32()
		a.mtime = d.uint32()
	}
	if flags&attrExtended != 0 {
		for n := d.uint32(); n > 0 && !d.bad; n-- {
			d.bytes()
			d.bytes()
		}
	}
	return a
}

// The codes of version 3, and those of later versions that servers send all the same.
const (
	fxOK               = 0
	fxEOF              = 1
	fxNoSuchFile       = 2
	fxPermissionDenied = 3
	fxFailure          = 4
	fxBadMessage       = 5
	fxNoConnection     = 6
	fxConnectionLost   = 7
	fxUnsupported      = 8
	fxNoSuchPath       = 10
	fxAlreadyExists    = 11
	fxWriteProtect     = 12
	fxNoSpace          = 14
	fxQuotaExceeded    = 15
	fxDirNotEmpty      = 18
	fxNotADirectory    = 19
	fxInvalidFilename  = 20
)

// statusError is a server's refusal.
type statusError struct {
	code uint32
	text string // for people; OpenSSH only repeats the code in words
}

func (e *statusError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("the server refuses with status %d", e.code)
	}
	return fmt.Sprintf("the server refuses: %s (status %d)", strings.ToValidUTF8(e.text, "?"), e.code)
}

// Unwrap returns the engine's class. fxFailure is what servers say when there is no code for it; then
// the text may help, see also explain.
func (e *statusError) Unwrap() error {
	switch e.code {
	case fxNoSuchFile, fxNoSuchPath, fxNotADirectory:
		return remote.ErrNotFound
	case fxPermissionDenied, fxWriteProtect:
		return remote.ErrPermission
	case fxNoSpace, fxQuotaExceeded:
		return remote.ErrQuota
	case fxBadMessage, fxInvalidFilename: // the former is OpenSSH's for ENAMETOOLONG and EINVAL
		return remote.ErrInvalidName
	case fxDirNotEmpty:
		return remote.ErrNotEmpty
	case fxNoConnection, fxConnectionLost:
		return remote.ErrOffline
	}
	text := strings.ToLower(e.text)
	switch {
	case strings.Contains(text, "no space"), strings.Contains(text, "quota"), strings.Contains(text, "disk full"):
		return remote.ErrQuota
	case strings.Contains(text, "not a directory"): // a parent; OpenSSH says fxNoSuchFile
		return remote.ErrNotFound
	case strings.Contains(text, "name too long"):
		return remote.ErrInvalidName
	case strings.Contains(text, "read-only"):
		return remote.ErrPermission
	}
	return nil
}

// isRefusal reports that err is what the server answered, rather than that it did not.
func isRefusal(err error) bool {
	var status *statusError
	return errors.As(err, &status)
}

// hasCode reports that err is the server's refusal with one of these codes.
func hasCode(err error, codes ...uint32) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	for _, code := range codes {
		if status.code == code {
			return true
		}
	}
	return false
}
