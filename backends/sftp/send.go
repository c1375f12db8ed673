package sftp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Send implements remote.Connection. A small file costs three round trips, whatever it costs the server:
//
//	open(temporary name)
//	write, …, close, set mtime     together
//	rename                         after all of them were acknowledged
//
// The mtime is set by path, not by handle: a server may serve the requests for a handle side by side, and a write that
// comes last would change the mtime. A close waits for the writes before.
//
// A crash before the rename leaves the temporary name, after it nothing.
func (c *connection) Send(ctx context.Context, path string, src remote.Source) error {
	return c.call(ctx, "send", path, func(s *client.Session) error {
		e := src.Entry()
		t := &transfer{
			c: c, s: s, path: path, src: src, entry: e,
			temp: c.partial(path), final: c.full(rclone.RemoteName(path, e.Kind)),
			chunk: c.opt.chunk(&s.Server),
		}
		if e.Size <= int64(smallFile) {
			return t.small(ctx)
		}
		return t.large(ctx)
	})
}

const (
	// smallFile is what is sent in one batch, from memory.
	smallFile = 256 << 10
	// goodbye bounds what is done for a transfer that failed: its error is waited for.
	goodbye = 2 * time.Second
)

// transfer is one Send under way.
type transfer struct {
	c     *connection
	s     *client.Session
	path  string // the engine's
	src   remote.Source
	entry snapshot.Entry
	temp  string // full paths on the server
	final string
	chunk int // bytes per write

	handle string // of temp, while it is open
}

// contents holds room for the larger of the small files, and a byte more: there a source says that it ends.
var contents = sync.Pool{New: func() any { b := make([]byte, 0, smallFile+1); return &b }}

const tinyFile = 8 << 10 // up to here allocating costs less than 256 KiB lying around

// small reads the content before anything is asked of the server, so that a source that fails has no effect.
func (t *transfer) small(ctx context.Context) error {
	var room []byte
	if t.entry.Size <= tinyFile {
		room = make([]byte, 0, t.entry.Size+1)
	} else {
		buf := contents.Get().(*[]byte)
		defer contents.Put(buf)
		room = (*buf)[:0]
	}
	content, err := t.read(ctx, room)
	if err != nil {
		return err
	}
	if err := t.open(ctx, client.FlagWrite|client.FlagCreate|client.FlagTrunc); err != nil {
		return err
	}
	requests := make([]client.Request, 0, 3)
	for at := 0; at < len(content); at += t.chunk {
		requests = append(requests, client.Write(t.handle, int64(at), content[at:min(at+t.chunk, len(content))]))
	}
	replies, err := t.s.Do(ctx, append(requests, t.close(), t.times())...)
	if err == nil {
		last := len(replies) - 1
		err = cmp.Or(firstError(replies[:last]), t.c.timed(replies[last].Status()))
	}
	if err == nil {
		err = t.publish(ctx)
	}
	if err != nil {
		t.discard(ctx, err)
		return t.c.explain(ctx, t.s, err, t.entry.Size)
	}
	return nil
}

// read reads all of a small source, and its end, where the source says that it is whole.
func (t *transfer) read(ctx context.Context, buf []byte) ([]byte, error) {
	in, err := t.src.Open()
	if err != nil {
		return nil, err
	}
	for {
		var n int
		n, err = in.Read(buf[len(buf):cap(buf)][:rclone.ThrottledRead(cap(buf)-len(buf))])
		rclone.Throttle(n)
		buf = buf[:len(buf)+n]
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && len(buf) == cap(buf) {
			err = fmt.Errorf("%w: it has more than %d bytes", snapshot.ErrChanged, t.entry.Size)
		}
		if err != nil {
			break
		}
	}
	if err == io.EOF {
		err = nil
	}
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	if int64(len(buf)) != t.entry.Size {
		return nil, fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, len(buf), t.entry.Size)
	}
	return buf, nil
}

// open opens the temporary name, and makes the directory that it is in if need be.
func (t *transfer) open(ctx context.Context, flags uint32) error {
	err := t.c.dirs.within(ctx, t.s, t.temp, func() (err error) {
		t.handle, err = t.s.Open(ctx, client.Open(t.temp, flags))
		return err
	})
	if client.HasCode(err, client.FXPermissionDenied) {
		return fmt.Errorf("write into %q: %w", path.Dir(t.temp), err) // its files have one cause
	}
	if err != nil && ctx.Err() == nil {
		return t.c.explain(ctx, t.s, err, t.entry.Size)
	}
	return err
}

// close is a request that is sent once, whatever the answer: the server may give the handle to somebody else.
func (t *transfer) close() client.Request {
	r := client.Close(t.handle)
	t.handle = ""
	return r
}

// release closes the temporary file, if it is open, without waiting.
func (t *transfer) release() {
	if t.handle != "" {
		t.s.Send(t.close())
	}
}

func (t *transfer) times() client.Request { return client.SetTimes(t.temp, t.entry.ModTime().Unix()) }

// publish gives the complete file its name.
func (t *transfer) publish(ctx context.Context) error {
	err := replace(ctx, t.s, t.temp, t.final)
	if err != nil {
		return fmt.Errorf("rename to %q: %w", path.Base(t.final), err)
	}
	return nil
}

// discard removes what a failed transfer left. What takes too long is left to Cleanup.
func (t *transfer) discard(ctx context.Context, cause error) {
	t.release()
	if ctx.Err() != nil || errors.Is(cause, remote.ErrOffline) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	err := t.s.Status(ctx, client.Remove(t.temp))
	if err != nil && !errors.Is(err, remote.ErrNotFound) {
		t.c.log.Debug("cannot remove a failed upload", "name", t.temp, "err", err)
	}
}

func firstError(replies []client.Reply) error {
	for i := range replies {
		if err := replies[i].Status(); err != nil {
			return err
		}
	}
	return nil
}
