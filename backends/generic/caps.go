package generic

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// quirk is what rclone's features do not tell about a backend.
type quirk struct {
	removes  bool // a failed upload removes what was there before
	noTouch  bool // the mtime can only be set by sending again
	fakeCopy bool // the copy is a hard link
	buckets  bool // known before opening, see withSlash
	wraps    bool // mtimes have 32 bits
	telnet   bool // byte 0xff means a command to the server
}

var quirks = map[string]quirk{
	"webdav":               {removes: true},
	"sftp":                 {fakeCopy: true, wraps: true},
	"ftp":                  {telnet: true},
	"dropbox":              {noTouch: true},
	"koofr":                {noTouch: true},
	"storj":                {noTouch: true},
	"protondrive":          {noTouch: true},
	"iclouddrive":          {noTouch: true},
	"dosya":                {noTouch: true},
	"s3":                   {buckets: true},
	"google cloud storage": {buckets: true},
	"azureblob":            {buckets: true},
	"b2":                   {buckets: true},
	"swift":                {buckets: true},
	"oracleobjectstorage":  {buckets: true},
	"qingstor":             {buckets: true},
	"memory":               {buckets: true},
}

// target is the remote as rclone's Fs shows it, and what is known of that.
type target struct {
	f     fs.Fs
	links bool // --links
	log   *slog.Logger

	caps    remote.Caps
	hash    hash.Type // compared after a Send; hash.None: only the size is
	partial bool      // send to a temporary name, then rename
	local   bool      // on a local disk, beneath overlays
	dups    bool      // several files can have one path
	telnet  bool      // names cannot hold byte 0xff: RFC 959 speaks telnet
}

// learn fills in what f can do. noTimes says that it is told not to set mtimes.
func (t *target) learn(rctx context.Context, metadata, noTimes bool) {
	ft, base := t.f.Features(), fs.UnWrapFs(t.f)
	var q quirk
	if info := fs.FindFromFs(base); info != nil {
		q = quirks[info.Name]
	}
	precision := t.f.Precision()
	if precision >= fs.ModTimeNotSupported || noTimes {
		precision = 0
	}
	touch := precision > 0 && !q.noTouch
	t.partial = ft.Move != nil && (ft.PartialUploads || q.removes) && !fs.GetConfig(rctx).Inplace
	t.local = base.Features().IsLocal
	t.dups, t.telnet = ft.DuplicateFiles, q.telnet
	t.hash = cheapHash(t.f)
	t.caps = remote.Caps{
		Copy:            ft.Copy != nil && !q.fakeCopy && (touch || precision == 0),
		Move:            ft.Move != nil,
		DirMove:         ft.DirMove != nil,
		SetModTime:      touch,
		Precision:       precision,
		Mtimes:          remote.MtimeRange{Wraps: q.wraps},
		Hash:            rclone.HashType(t.hash),
		BucketBased:     ft.BucketBased,
		CaseInsensitive: ft.CaseInsensitive,
		NamesUnknown:    !ft.BucketBased,
		EmptyDirs:       ft.CanHaveEmptyDirectories,
		Metadata:        metadata && ft.WriteMetadata,
		SetMetadata:     metadata && ft.WriteMetadata && touch, // which of its files can, only they know
	}
}

// possible reports a path that would do harm on the way to this remote.
func (t *target) possible(path string) error {
	if t.telnet && strings.IndexByte(path, 0xff) >= 0 {
		return fmt.Errorf("%w: FTP cannot transmit the byte 0xff", remote.ErrInvalidName)
	}
	return nil
}
