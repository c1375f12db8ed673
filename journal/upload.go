package journal

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// uploads are those that can be resumed.
type uploads struct{ db *database.DB }

// PartialUpload is an upload that can be resumed: what a Connection must know of it after a crash.
type PartialUpload struct {
	Path       string
	Connection string         // where the ID is valid: another remote starts anew
	ID         string         // the Connection's own
	PartSize   int64          // bytes of every part but the last; 0: it has no parts
	Source     snapshot.Entry // what is being sent: another source starts anew
	Began      time.Time
	Last       time.Time // of the last sign of life: the age that bounds it
	Parts      []Part    // that the remote has confirmed, by number; Uploads leaves them out
	Confirmed  int64     // bytes of all parts
}

// Part is a piece of a PartialUpload that the remote has confirmed.
type Part struct {
	Number   int // from 1
	Size     int64
	ETag     string // as the remote returned it
	Checksum []byte // in the Connection's algorithm
}

// uploadColumns ends with the bytes of all parts.
const uploadColumns = `path, connection, upload_id, part_size, began, last, source,
	(SELECT coalesce(sum(size), 0) FROM upload_part p WHERE p.path = upload.path)`

// Uploads returns the unfinished uploads, by path.
func (l *uploads) Uploads() (of []PartialUpload, err error) {
	err = l.db.Read("read uploads", func(c database.Conn) error {
		of, err = readUploads(c, " ORDER BY path")
		return err
	})
	return of, err
}

func readUploads(c database.Conn, where string, args ...any) (of []PartialUpload, err error) {
	err = c.Query("SELECT "+uploadColumns+" FROM upload"+where, func(row database.Row) error {
		source, err := row.ColumnEntry(6)
		if err != nil {
			return database.Damaged("upload of %q: %w", row.ColumnText(0), err)
		}
		of = append(of, PartialUpload{
			Path: row.ColumnText(0), Connection: row.ColumnText(1), ID: row.ColumnText(2), PartSize: row.ColumnInt64(3),
			Began: row.ColumnTime(4), Last: row.ColumnTime(5), Source: *source, Confirmed: row.ColumnInt64(7),
		})
		return nil
	}, args...)
	return of, err
}

// Upload returns what is known of the unfinished upload of path; nil: there is none.
func (l *uploads) Upload(path string) (u *PartialUpload, err error) {
	err = l.db.Read("read upload", func(c database.Conn) error {
		of, err := readUploads(c, " WHERE path = ?", path)
		if err != nil || len(of) == 0 {
			return err
		}
		u = &of[0]
		return c.Query("SELECT number, size, etag, checksum FROM upload_part WHERE path = ? ORDER BY number", func(row database.Row) error {
			p := Part{Number: row.ColumnInt(0), Size: row.ColumnInt64(1), ETag: row.ColumnText(2), Checksum: make([]byte, row.ColumnLen(3))}
			row.ColumnBytes(3, p.Checksum)
			u.Parts = append(u.Parts, p)
			return nil
		}, path)
	})
	return u, err
}

// BeginUpload remembers an upload, without parts, in the place of an earlier one of the same path. A
// crash between the remote's answer and this leaves an upload that nobody knows: see the Connection.
func (l *uploads) BeginUpload(u *PartialUpload) error {
	if err := u.Source.Validate(); err != nil {
		return fmt.Errorf("begin upload of %q: %w", u.Path, err)
	}
	return l.db.Write("begin upload", func(t *database.Tx) error {
		if err := deleteUpload(t, u.Path); err != nil {
			return err
		}
		return t.Prepare(`INSERT INTO upload (path, connection, upload_id, part_size, source, began, last) VALUES (?, ?, ?, ?, ?, ?, ?)`).
			Text(u.Path).Text(u.Connection).Text(u.ID).Int(u.PartSize).Entry(&u.Source).Time(u.Began).Time(u.Began).Run()
	})
}

// AddPart remembers that the remote has confirmed a part, in the place of an earlier one of the same
// number. A crash before it costs that part.
func (l *uploads) AddPart(path string, p Part, at time.Time) error {
	return l.db.Write("confirm part", func(t *database.Tx) error {
		if err := t.Prepare("INSERT OR REPLACE INTO upload_part (path, number, size, etag, checksum) VALUES (?, ?, ?, ?, ?)").
			Text(path).Int(int64(p.Number)).Int(p.Size).Text(p.ETag).Blob(p.Checksum).Run(); err != nil {
			return err
		}
		return t.Prepare("UPDATE upload SET last = ? WHERE path = ?").Time(at).Text(path).Run()
	})
}

// EndUpload forgets the upload of path: it is complete, or it was aborted. None is no error.
func (l *uploads) EndUpload(path string) error {
	return l.db.Write("end upload", func(t *database.Tx) error { return deleteUpload(t, path) })
}

func deleteUpload(t *database.Tx, path string) error {
	if err := t.Exec("DELETE FROM upload_part WHERE path = ?", path); err != nil {
		return err
	}
	return t.Exec("DELETE FROM upload WHERE path = ?", path)
}
