package journal

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

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

// Upload returns what is known of the unfinished upload of path; nil: there is none.
func (j *Journal) Upload(path string) (u *PartialUpload, err error) {
	err = j.read("read upload", func(c *sqlite.Conn) error {
		s, err := prepare(c, "SELECT connection, upload_id, part_size, began, last, source FROM upload WHERE path = ?")
		if err != nil {
			return err
		}
		s.text(path)
		err = s.each(func() error {
			source, err := columnEntry(s.Stmt, 5)
			if err != nil {
				return damaged("upload of %q: %w", path, err)
			}
			u = &PartialUpload{
				Path: path, Connection: s.ColumnText(0), ID: s.ColumnText(1), PartSize: s.ColumnInt64(2),
				Began: fromNanos(s.ColumnInt64(3)), Last: fromNanos(s.ColumnInt64(4)), Source: *source,
			}
			return nil
		})
		if err != nil || u == nil {
			return err
		}
		u.Parts, err = readParts(c, path)
		for i := range u.Parts {
			u.Confirmed += u.Parts[i].Size
		}
		return err
	})
	return u, err
}

func readParts(c *sqlite.Conn, path string) (parts []Part, err error) {
	s, err := prepare(c, "SELECT number, size, etag, checksum FROM upload_part WHERE path = ? ORDER BY number")
	if err != nil {
		return nil, err
	}
	s.text(path)
	err = s.each(func() error {
		p := Part{Number: s.ColumnInt(0), Size: s.ColumnInt64(1), ETag: s.ColumnText(2), Checksum: make([]byte, s.ColumnLen(3))}
		s.ColumnBytes(3, p.Checksum)
		parts = append(parts, p)
		return nil
	})
	return parts, err
}

// BeginUpload remembers an upload, without parts, in the place of an earlier one of the same path. A
// crash between the remote's answer and this leaves an upload that nobody knows: see the Connection.
func (j *Journal) BeginUpload(u *PartialUpload) error {
	if err := u.Source.Validate(); err != nil {
		return fmt.Errorf("begin upload of %q: %w", u.Path, err)
	}
	return j.write("begin upload", func(t *transaction) error {
		if err := t.dropUpload(u.Path); err != nil {
			return err
		}
		q, err := prepare(t.Conn, `INSERT INTO upload (path, connection, upload_id, part_size, source, began, last)
			VALUES (?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		q.text(u.Path)
		q.text(u.Connection)
		q.text(u.ID)
		q.int(u.PartSize)
		q.blob(t.row.pack(&u.Source))
		q.int(nanos(u.Began))
		q.int(nanos(u.Began))
		return q.run()
	})
}

// AddPart remembers that the remote has confirmed a part, in the place of an earlier one of the same
// number. A crash before it costs that part.
func (j *Journal) AddPart(path string, p Part, at time.Time) error {
	return j.write("confirm part", func(t *transaction) error {
		q, err := prepare(t.Conn, "INSERT OR REPLACE INTO upload_part (path, number, size, etag, checksum) VALUES (?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		q.text(path)
		q.int(int64(p.Number))
		q.int(p.Size)
		q.text(p.ETag)
		q.blob(append([]byte{}, p.Checksum...))
		if err := q.run(); err != nil {
			return err
		}
		if q, err = prepare(t.Conn, "UPDATE upload SET last = ? WHERE path = ?"); err != nil {
			return err
		}
		q.int(nanos(at))
		q.text(path)
		return q.run()
	})
}

// EndUpload forgets the upload of path: it is complete, or it was aborted. None is no error.
func (j *Journal) EndUpload(path string) error {
	return j.write("end upload", func(t *transaction) error { return t.dropUpload(path) })
}

func (t *transaction) dropUpload(path string) error {
	if err := t.dropPath("DELETE FROM upload_part WHERE path = ?", path); err != nil {
		return err
	}
	return t.dropPath("DELETE FROM upload WHERE path = ?", path)
}

// Uploads returns the unfinished uploads, by path.
func (j *Journal) Uploads() (uploads []PartialUpload, err error) {
	err = j.read("read uploads", func(c *sqlite.Conn) error {
		return query(c, `SELECT path, connection, upload_id, part_size, began, last, source,
			(SELECT coalesce(sum(size), 0) FROM upload_part p WHERE p.path = upload.path) FROM upload ORDER BY path`,
			func(s *sqlite.Stmt) error {
				source, err := columnEntry(s, 6)
				if err != nil {
					return damaged("upload of %q: %w", s.ColumnText(0), err)
				}
				uploads = append(uploads, PartialUpload{
					Path: s.ColumnText(0), Connection: s.ColumnText(1), ID: s.ColumnText(2), PartSize: s.ColumnInt64(3),
					Began: fromNanos(s.ColumnInt64(4)), Last: fromNanos(s.ColumnInt64(5)), Source: *source,
					Confirmed: s.ColumnInt64(7),
				})
				return nil
			})
	})
	return uploads, err
}
