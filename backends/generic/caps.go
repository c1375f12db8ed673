package generic

import (
	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// quirk is what rclone's features do not tell about a backend.
type quirk struct {
	removes  bool // a failed upload removes what was there before
	noTouch  bool // the mtime can only be set by sending again
	fakeCopy bool // the copy is a hard link
	buckets  bool // known before opening, see withSlash
	telnet   bool // byte 0xff means a command to the server
}

var quirks = map[string]quirk{
	"webdav":               {removes: true},
	"sftp":                 {fakeCopy: true},
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

func bucketBased(info *fs.RegInfo) bool { return quirks[info.Name].buckets }

// learn fills in what the opened Fs can do.
func (g *Connection) learn() {
	ft, base := g.f.Features(), fs.UnWrapFs(g.f)
	var q quirk
	if info := fs.FindFromFs(base); info != nil {
		q = quirks[info.Name]
	}
	precision := g.f.Precision()
	if precision >= fs.ModTimeNotSupported {
		precision = 0
	}
	touch := precision > 0 && !q.noTouch
	g.partial = ft.Move != nil && (ft.PartialUploads || q.removes) && !fs.GetConfig(g.rctx).Inplace
	g.local = base.Features().IsLocal
	g.kept, _ = g.cfg.Name.Roots() // it could be opened, so it can be looked through
	g.dups, g.telnet = ft.DuplicateFiles, q.telnet
	g.hash = cheapHash(g.f)
	g.caps = remote.Caps{
		Copy:            ft.Copy != nil && !q.fakeCopy && (touch || precision == 0),
		Move:            ft.Move != nil,
		DirMove:         ft.DirMove != nil,
		SetModTime:      touch,
		Precision:       precision,
		Hash:            rclone.HashType(g.hash),
		BucketBased:     ft.BucketBased,
		CaseInsensitive: ft.CaseInsensitive,
		EmptyDirs:       ft.CanHaveEmptyDirectories,
		Metadata:        g.cfg.Rclone.Metadata && ft.WriteMetadata,
		SetMetadata:     g.cfg.Rclone.Metadata && ft.WriteMetadata && touch, // which of its files can, only they know
		Backup:          g.backup != nil,
	}
}
