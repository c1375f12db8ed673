package client

import "encoding/binary"

// Request is one packet to the server, without its length and id: names, then numbers, then content. The value has room
// for all of them, so that no request for a small file allocates.
type Request struct {
	kind    byte
	names   [3]string // paths, handles, extensions
	nNames  int
	words   [4]uint32
	nWords  int
	content []byte // of a write
	lent    bool   // content is not copied: it stays as it is until the reply
}

func newRequest(kind byte, names ...string) Request {
	r := Request{kind: kind}
	r.nNames = copy(r.names[:], names)
	return r
}

// with adds numbers; those of 64 bits are two, the higher first.
func (r Request) with(words ...uint32) Request {
	r.nWords = copy(r.words[:], words)
	return r
}

// Requests that are answered by a handle.

// How a file is opened.
const (
	FlagRead   = 0x01
	FlagWrite  = 0x02
	FlagCreate = 0x08
	FlagTrunc  = 0x10
)

// Open has no attributes: the server's umask rules.
func Open(path string, flags uint32) Request { return newRequest(fxpOpen, path).with(flags, 0) }

func OpenDir(path string) Request { return newRequest(fxpOpendir, path) }

// Requests that are answered by a status alone.

// Close ends a handle, also if the answer is an error: the server may give the handle to somebody else.
func Close(handle string) Request { return newRequest(fxpClose, handle) }

// Write copies content when it is queued.
func Write(handle string, offset int64, content []byte) Request {
	r := newRequest(fxpWrite, handle).with(uint32(offset>>32), uint32(offset), uint32(len(content)))
	r.content = content
	return r
}

// Lend is a write whose content is not copied: it must stay as it is until the reply.
func Lend(handle string, offset int64, content []byte) Request {
	r := Write(handle, offset, content)
	r.lent = true
	return r
}

// SetTimes sets both times, in whole seconds, which is all that version 3 has.
func SetTimes(path string, seconds int64) Request {
	return newRequest(fxpSetstat, path).with(attrTimes, uint32(seconds), uint32(seconds))
}

func Mkdir(path string) Request  { return newRequest(fxpMkdir, path).with(0) }
func Rmdir(path string) Request  { return newRequest(fxpRmdir, path) }
func Remove(path string) Request { return newRequest(fxpRemove, path) }

// Rename does not say what happens to a file at to.
func Rename(from, to string) Request { return newRequest(fxpRename, from, to) }

// Replace renames over whatever file is at to. It is for servers with posix-rename.
func Replace(from, to string) Request { return newRequest(fxpExtended, posixRename, from, to) }

// Requests that are answered by data, names or attributes.

// Read asks for n bytes; the server may give less.
func Read(handle string, offset int64, n int) Request {
	return newRequest(fxpRead, handle).with(uint32(offset>>32), uint32(offset), uint32(n))
}

// ReadDir asks for some more names of a directory; FXEOF if there are none.
func ReadDir(handle string) Request { return newRequest(fxpReaddir, handle) }

// Realpath makes a path full, from the directory that one is in after the log-in.
func Realpath(path string) Request { return newRequest(fxpRealpath, path) }

// Stat follows symbolic links on the server, Lstat does not.
func Stat(path string) Request  { return newRequest(fxpStat, path) }
func Lstat(path string) Request { return newRequest(fxpLstat, path) }

// StatSpace asks for the space of the file system of path. It is for servers with statvfs.
func StatSpace(path string) Request { return newRequest(fxpExtended, statVFS, path) }

// appendTo frames a request, without content that is lent.
func (r *Request) appendTo(b []byte, id uint32) []byte {
	length := 1 + 4 + 4*r.nWords + len(r.content)
	for _, name := range r.names[:r.nNames] {
		length += 4 + len(name)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, r.kind)
	b = binary.BigEndian.AppendUint32(b, id)
	for _, name := range r.names[:r.nNames] {
		b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
		b = append(b, name...)
	}
	for _, word := range r.words[:r.nWords] {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	if r.lent {
		return b
	}
	return append(b, r.content...)
}
