// Package remote is the contract between the engine and what executes its steps on a remote: a Connection.
//
// Engine and backends meet here and nowhere else. The package has the capabilities that the planner sees, the objects
// of a listing, the classes of errors, the names that are ours on a remote, the place where a remote is kept, and the
// rules by which content and mtimes count as the same there. It does no I/O but for FindPlace, and knows nothing of plans,
// of cycles or of what remembers them.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Caps is what a Connection can do, and all that the planner sees of a remote. The zero value can only upload and delete.
// The names are those of rclone's features.
type Caps struct {
	Copy            bool              // server-side copy of a file
	Move            bool              // server-side move of a file
	DirMove         bool              // server-side move of a directory, to a path that does not exist
	SetModTime      bool              // the mtime of a file can be set without sending it
	Precision       time.Duration     // of mtimes on the remote; 0 means that it keeps none
	Mtimes          MtimeRange        // which mtimes it keeps; zero: all
	Hash            snapshot.HashType // a content hash that listings give without a request per file
	BucketBased     bool              // directories do not exist: a/b may be there beside a file a
	CaseInsensitive bool              // a and A are the same path
	FormInsensitive bool              // the composed é and the decomposed one are the same path
	EndInsensitive  bool              // a and a. are the same path
	NamesUnknown    bool              // which names are one beyond that is not known: the engine finds out
	EmptyDirs       bool              // directories without files can exist
	Metadata        bool              // Send keeps more than the mtime (--metadata)
	SetMetadata     bool              // so does Touch, unless it says ErrCannotMove
	Resume          bool              // an interrupted Send of a large file goes on where it was: see Uploads
	Backup          bool              // a backup directory or suffix is configured: see Backup
	Volatile        bool              // a power cut of this machine may undo what was not followed by a Flush
	DeleteBatch     int               // paths that one Delete may carry; 0 means 1
	Transfers       int               // a sensible number of parallel requests; 0 means no opinion
}

// MtimeRange says which mtimes a remote keeps, in seconds since 1970.
type MtimeRange struct {
	From, Until int64 // others become something else; both 0: none do
	Wraps       bool  // the remote has 32 bits without a sign: others are kept modulo 2³²
}

// keeps reports whether an mtime in ns is kept as it is.
func (m MtimeRange) keeps(ns int64) bool {
	s := quantum(ns, time.Second)
	return m.From == m.Until || m.From <= s && s <= m.Until
}

// wrap is what the remote makes of an mtime in ns.
func (m MtimeRange) wrap(ns int64) int64 {
	if !m.Wraps {
		return ns
	}
	s := quantum(ns, time.Second)
	return int64(uint32(s))*int64(time.Second) + ns - s*int64(time.Second)
}

// LinkSuffix ends the name of a symbolic link where a remote keeps one as a file, as with rclone's --links.
const LinkSuffix = ".rclonelink"

// Object is one path as a listing of the remote shows it.
type Object struct {
	Path string // in the source's own bytes; of a symlink without the suffix that rclone gives it
	// Entry has Kind, Size, Mtime (truncated to Caps.Precision; 0 where the remote keeps none, or
	// where a listing does not tell) and, if the listing gave one, Hash. Its flags are Adopted.
	Entry snapshot.Entry
	// Uploaded is the remote's own time of the last write, for remotes that keep no mtime; may be zero.
	Uploaded time.Time
	// Temporary marks a leftover of an interrupted Send of ours, safe to delete.
	Temporary bool
}

// Adopted is how the base records what a remote with caps says of itself. One that keeps no mtimes at least tells when it was
// written to; where a listing alone does not give the mtime, it stays 0, and the ctime is when the remote was written to: see
// snapshot.Entry.Modified.
func (o *Object) Adopted(caps *Caps) snapshot.Entry {
	entry := o.Entry
	entry.Flags |= snapshot.Adopted
	if caps.Precision <= 0 && !o.Uploaded.IsZero() {
		entry.Mtime = o.Uploaded.UnixNano()
	}
	if entry.Mtime == 0 && !o.Uploaded.IsZero() {
		entry.Ctime = o.Uploaded.UnixNano()
	}
	return entry
}

// Source gives the bytes of one file to Send.
type Source interface {
	// Open starts reading from the first byte. The stream fails with snapshot.ErrChanged, before its
	// last byte is handed out, if the file is not what Entry says: so a Connection that publishes a
	// file only after it got all of Entry().Size bytes never publishes a torn one. It may be called
	// again after Close, for a retry. Of a symlink the bytes are the target.
	Open() (io.ReadCloser, error)
	// Entry is what is being sent. Its hash is not known before the last byte was read.
	Entry() snapshot.Entry
}

// Upload and UploadPart are what Uploads remembers.
type (
	Upload     = journal.PartialUpload
	UploadPart = journal.Part
)

// Uploads is the memory of unfinished Sends, which survives this process: the journal. What a method
// wrote before it returned nil is durable. All may be called concurrently. A Connection that does not
// resume needs none of it.
//
// A Connection writes BeginUpload before the first byte of what it could resume, AddPart as the remote
// confirms parts, and EndUpload once the result is visible, or what was there is aborted. Its Send asks
// Upload first: what is remembered for another Connection, another part size or another source is
// aborted and started anew. Its Cleanup aborts what is remembered of the path.
type Uploads interface {
	Uploads() ([]Upload, error)          // all that are remembered, without their parts
	Upload(path string) (*Upload, error) // nil: none
	BeginUpload(u *Upload) error
	AddPart(path string, p UploadPart, at time.Time) error
	EndUpload(path string) error
}

// Connection executes steps on one remote. The engine is its only caller. All methods may be called concurrently, except
// Close; the engine never has two calls under way whose paths overlap (equal, above or beneath), but for several Copies
// from the same path. Every method returns soon after ctx is done, with ctx.Err() wrapped; what it was doing may or may
// not have happened, as with any other error: see "twice" below.
//
// Errors wrap one of the classes below where one fits. Paths are in the source's own bytes; a
// Connection translates them to what its remote can store.
type Connection interface {
	// Caps are constant for the life of the Connection.
	Caps() Caps

	// List calls fn for every path on the remote, files and directories, in no order, never
	// concurrently. An error from fn ends it. A directory that cannot be listed is an error of the
	// whole: a partial listing is never mistaken for a complete one. A root that does not exist is
	// an empty remote. Temporary names of unfinished Sends are listed as such.
	List(ctx context.Context, fn func(Object) error) error

	// Send makes path hold the content of src and its mtime, creating directories as needed. When it
	// returns nil the file is as durable as the remote makes any file, and was verified by size and,
	// where that is cheap, by hash. Before that the old content, or nothing, is visible at path:
	// never a part. Twice: yes, the second replaces the first. On failure a temporary name (see
	// PartialName) may be left; the next Send of the path replaces it, Cleanup removes it.
	Send(ctx context.Context, path string, src Source) error

	// Of Copy, Move and Touch, was is the file that the caller means, as the base has it; nil: whatever is
	// there. Where a Connection sees anyway that another one is there (Caps.Contradicts), it does nothing and
	// says ErrNotFound: content that somebody else has put there must not get another name.

	// Copy makes path hold what from holds, with the given mtime, if Caps.Copy. Visible at once or
	// not at all. Twice: yes. ErrNotFound if from is gone.
	Copy(ctx context.Context, from, path string, e snapshot.Entry, was *snapshot.Entry) error

	// Move renames a file, replacing what is at path, if Caps.Move; or a directory with everything
	// in it, if Caps.DirMove, to a path that must not exist. Parents of path are created. Twice:
	// the second says ErrNotFound, and the caller decides by Stat. ErrCannotMove if this remote
	// cannot do this move although its Caps say so: nothing happened.
	Move(ctx context.Context, from, path string, dir bool, was *snapshot.Entry) error

	// Touch sets the mtime of a file if Caps.SetModTime, and with Caps.SetMetadata whatever else Send
	// would keep of the source's file. ErrCannotMove if that turns out to take a Send: then nothing but
	// the mtime may have happened. Twice: yes.
	Touch(ctx context.Context, path string, e snapshot.Entry, was *snapshot.Entry) error

	// Mkdir makes sure that the directory exists, parents included. Twice: yes.
	Mkdir(ctx context.Context, path string) error

	// Delete removes files, at most Caps.DeleteBatch of them, and returns one error per path. A path
	// that is not there is no error. Twice: yes.
	Delete(ctx context.Context, paths []string) []error

	// Backup moves the file at path into the configured backup directory, or to the configured
	// suffix, if Caps.Backup. A path that is not there is no error. Twice: yes. The engine calls it
	// before it deletes or replaces a file.
	Backup(ctx context.Context, path string) error

	// Rmdir removes a directory if it is empty; one that is not there is no error, one that is not
	// empty gives ErrNotEmpty. Twice: yes.
	Rmdir(ctx context.Context, path string) error

	// Stat returns what the remote holds at path now, or ErrNotFound. Recovery and repair call it, the
	// steady state never.
	Stat(ctx context.Context, path string) (Object, error)

	// Hash returns a content hash of the file at path, at whatever cost: reading it if need be. Its type
	// is want where the remote or a reader can have it, else any other. Of a symlink the content is the
	// target. Twice: yes. ErrNotFound.
	Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error)

	// Cleanup removes what an interrupted Send of path may have left under a temporary name.
	Cleanup(ctx context.Context, path string) error

	// Flush makes everything that returned nil before survive a power cut of this machine, where that
	// is in its hands: on a local disk. Elsewhere it does nothing.
	Flush(ctx context.Context) error

	// Places are the directories of this machine that the remote is kept in, as they are now, or the bucket,
	// as it was when something was last asked of it; none if nothing is known. It costs a few calls of the
	// system, and no request.
	Places() ([]Place, error)

	// Throttled returns how often since the last call the remote refused a request because there were too
	// many, although a retry within the Connection may have made up for it. 0 where that is not known.
	Throttled() int64

	// Probe reports whether the remote answers at all, with one cheap request and no retries.
	// nil or an error that is not ErrOffline both mean that it does.
	Probe(ctx context.Context) error

	Close() error
}

// Classes of errors, tested with errors.Is. Connections give each error at most one.
var (
	ErrOffline     = errors.New("remote cannot be reached") // the run stops and keeps what is pending
	ErrNotFound    = errors.New("not found on the remote")
	ErrCannotMove  = errors.New("the remote cannot do this") // the planner finds another way
	ErrNotEmpty    = errors.New("directory is not empty")
	ErrPermission  = errors.New("permission denied by the remote")
	ErrQuota       = errors.New("no space left on the remote")
	ErrInvalidName = errors.New("name is not possible on the remote")
	ErrTemporary   = errors.New("temporary failure")    // worth a retry at once: throttling, 5xx
	ErrFatal       = errors.New("remote is not usable") // every further step would fail as well
)

// ErrAnother is ErrNotFound of a file in whose place there is another one.
var ErrAnother = fmt.Errorf("%w: somebody else has replaced it", ErrNotFound)
