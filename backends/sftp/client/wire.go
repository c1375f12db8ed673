package client

import "encoding/binary"

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

	attrSize     = 0x01
	attrOwner    = 0x02
	attrMode     = 0x04
	attrTimes    = 0x08
	attrExtended = 0x80000000

	posixRename = "posix-rename@openssh.com"
	statVFS     = "statvfs@openssh.com"
	limits      = "limits@openssh.com"
)

const (
	modeType    = 0o170000
	modeDir     = 0o040000
	modeRegular = 0o100000
)

// decoder takes a packet apart; bad once it was too short.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) err() error {
	if d.bad {
		return ErrGarbled
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

func (d *decoder) attrs() (a Attrs) {
	flags := d.uint32()
	if flags&attrSize != 0 {
		a.Size = d.uint64()
	}
	if flags&attrOwner != 0 {
		d.take(8)
	}
	if flags&attrMode != 0 {
		a.Mode = d.uint32()
	}
	if flags&attrTimes != 0 {
		d.uint32()
		a.Mtime = d.uint32()
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
	FXOK               = 0
	FXEOF              = 1
	FXNoSuchFile       = 2
	FXPermissionDenied = 3
	FXFailure          = 4
	FXBadMessage       = 5
	FXNoConnection     = 6
	FXConnectionLost   = 7
	FXUnsupported      = 8
	FXNoSuchPath       = 10
	FXAlreadyExists    = 11
	FXWriteProtect     = 12
	FXNoSpace          = 14
	FXQuotaExceeded    = 15
	FXDirNotEmpty      = 18
	FXNotADirectory    = 19
	FXInvalidFilename  = 20
)
