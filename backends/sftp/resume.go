package sftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// How a large file goes on after a crash:
//
//	remember (path, temporary name, source's stat)         before the first byte
//	write …                                                never more than maxWindow beyond what is confirmed
//	remember the hash of each piece                        once the server confirmed all of it
//	close, set mtime, compare the size, rename, forget
//
// The next Send of the path finds what is remembered. With the same stat of the source, all but the last maxWindow bytes
// of the temporary file are without a hole, and so are the pieces remembered. The source is read from its start all the
// same, since its hash is wanted: its pieces must have the remembered hashes, and the server must have the same bytes
// just before the place to go on from. Otherwise the upload starts anew, as it does after a crash between rename and
// forget.

const (
	// resumable is from what size on an upload is worth remembering.
	resumable = 8 << 20
	// tailSize is how much is read back before going on.
	tailSize = 256 << 10
	// A piece is what one note in the journal is for: about a second of work, at most so many notes.
	minPiece  = 16 << 20
	maxPieces = 1000
)

var errStale = errors.New("what is there is not the beginning of this file")

// resume is what is remembered of one upload, and what is known of the source so far. One goroutine calls its methods.
type resume struct {
	uploads remote.Uploads // nil: nothing is remembered
	upload  remote.Upload  // as it is to be remembered, without parts
	known   *remote.Upload // an earlier transfer of the same; nil: none

	hasher *xxh3.Hasher // of the piece being read
	fed    int64        // bytes of that piece
	sums   [][]byte     // of the pieces read, in order
	noted  int          // pieces that are in the journal
}

// remembered asks for an earlier transfer.
func (t *transfer) remembered() (*resume, error) {
	m := &resume{}
	if t.c.uploads == nil || t.entry.Size < resumable {
		return m, nil
	}
	m.uploads, m.hasher = t.c.uploads, xxh3.New()
	piece := max(minPiece, (t.entry.Size/maxPieces+minPiece-1)/minPiece*minPiece)
	m.upload = remote.Upload{
		Path: t.path, Connection: t.c.identity, ID: t.temp, PartSize: piece, Source: t.entry,
	}
	known, err := m.uploads.Upload(t.path)
	if err != nil {
		return nil, err
	}
	if known != nil && known.Connection == m.upload.Connection && known.ID == t.temp &&
		known.PartSize == m.upload.PartSize && known.Source.SameStat(&t.entry) {
		m.known = known
	}
	return m, nil
}

// resume opens what an earlier transfer left, and returns where to go on and what the server has just before. 0, and no
// open handle, means a new start.
func (t *transfer) resume(ctx context.Context, m *resume) (at int64, tail []byte, err error) {
	if m.known == nil {
		return 0, nil, nil
	}
	if t.handle, err = t.s.Open(ctx, client.Open(t.temp, client.FlagRead|client.FlagWrite)); errors.Is(err, remote.ErrNotFound) {
		m.reset()
		return 0, nil, nil
	} else if err != nil {
		return 0, nil, err
	}
	there, err := t.s.Stat(ctx, t.temp)
	if err != nil {
		return 0, nil, err
	}
	size := int64(there.Size)
	at = max(size-maxWindow, m.known.Confirmed)
	switch {
	case size > t.entry.Size, m.known.Confirmed > size:
		return 0, nil, fmt.Errorf("%w: it has %d bytes, %d were confirmed", errStale, size, m.known.Confirmed)
	case at < tailSize:
		t.release()
		m.reset()
		return 0, nil, nil
	}
	tail = make([]byte, tailSize)
	before := &reader{ctx: ctx, s: t.s, handle: t.handle, asked: at - tailSize, left: tailSize}
	if _, err := io.ReadFull(before, tail); err != nil {
		return 0, nil, err
	}
	t.c.log.Info("an interrupted upload goes on", "path", t.path, "from", at, "of", t.entry.Size)
	return at, tail, nil
}

// reset forgets the earlier transfer and what was read of the source.
func (m *resume) reset() {
	m.known, m.fed, m.sums, m.noted = nil, 0, nil, 0
	if m.hasher != nil {
		m.hasher.Reset()
	}
}

// begin remembers an upload that starts at 0, in the place of any earlier one.
func (m *resume) begin() error {
	if m.uploads == nil {
		return nil
	}
	m.reset()
	m.upload.Began = time.Now()
	return m.uploads.BeginUpload(&m.upload)
}

// hash takes in the next bytes of the source.
func (m *resume) hash(b []byte) {
	if m.hasher == nil {
		return
	}
	for len(b) > 0 {
		n := min(m.upload.PartSize-m.fed, int64(len(b)))
		_, _ = m.hasher.Write(b[:n])
		b = b[n:]
		if m.fed += n; m.fed == m.upload.PartSize {
			m.sums = append(m.sums, binary.BigEndian.AppendUint64(nil, m.hasher.Sum64()))
			m.hasher.Reset()
			m.fed = 0
		}
	}
}

// verify compares the pieces that were read with those of the earlier transfer.
func (m *resume) verify() error {
	for _, p := range m.known.Parts {
		if p.Number < 1 || p.Number > len(m.sums) {
			return fmt.Errorf("%w: piece %d was confirmed and is not there", errStale, p.Number)
		}
		if string(p.Checksum) != string(m.sums[p.Number-1]) {
			return fmt.Errorf("%w: the source has changed in piece %d", errStale, p.Number)
		}
	}
	m.noted = len(m.known.Parts) // they were noted in order
	return nil
}

// confirm notes the pieces before at, all of which the server has.
func (m *resume) confirm(at int64) error {
	if m.uploads == nil {
		return nil
	}
	for m.noted < len(m.sums) && int64(m.noted+1)*m.upload.PartSize <= at {
		p := remote.UploadPart{Number: m.noted + 1, Size: m.upload.PartSize, Checksum: m.sums[m.noted]}
		if err := m.uploads.AddPart(m.upload.Path, p, time.Now()); err != nil {
			return err
		}
		m.noted++
	}
	return nil
}

// keeps reports whether a transfer that failed with err is worth going on with.
func (m *resume) keeps(ctx context.Context, err error) bool {
	if m.uploads == nil {
		return false
	}
	if ctx.Err() != nil {
		return true
	}
	for _, hopeless := range []error{
		snapshot.ErrChanged, remote.ErrQuota, remote.ErrPermission, remote.ErrInvalidName, remote.ErrNotFound,
	} {
		if errors.Is(err, hopeless) {
			return false
		}
	}
	return true
}

// end forgets the upload.
func (m *resume) end() error {
	if m.uploads == nil {
		return nil
	}
	return m.uploads.EndUpload(m.upload.Path)
}
