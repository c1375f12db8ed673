package sftp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// large streams a file through a window of writes, from where an earlier transfer of the same file got.
func (t *transfer) large(ctx context.Context) error {
	m, err := t.remembered()
	if err != nil {
		return err
	}
	err = t.stream(ctx, m)
	if errors.Is(err, errStale) && ctx.Err() == nil {
		t.c.log.Info("an interrupted upload cannot be continued and starts anew", "path", t.path, "why", err)
		t.release()
		m.reset()
		err = t.stream(ctx, m)
	}
	if err == nil {
		if err = t.publish(ctx); err == nil {
			return m.end()
		}
	}
	err = t.c.explain(ctx, t.s, err, t.entry.Size)
	if m.keeps(ctx, err) {
		t.release()
		return err
	}
	t.discard(ctx, err)
	return errors.Join(err, m.end())
}

// stream leaves the whole content, with its mtime, at the temporary name.
func (t *transfer) stream(ctx context.Context, m *resume) error {
	at, tail, err := t.resume(ctx, m)
	if err != nil {
		return err
	}
	if t.handle == "" {
		if err := m.begin(); err != nil {
			return err
		}
		if err := t.open(ctx, client.FlagWrite|client.FlagCreate|client.FlagTrunc); err != nil {
			return err
		}
	}
	in, err := t.src.Open()
	if err != nil {
		return err
	}
	w := &window{t: t, ctx: ctx, m: m, most: t.c.opt.window(t.chunk)}
	err = w.fill(in, at, tail)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	return t.finish(ctx)
}

// finish closes the temporary file, sets its mtime, and looks whether its size is right.
func (t *transfer) finish(ctx context.Context) error {
	replies, err := t.s.Do(ctx, t.close(), t.times(), client.Stat(t.temp))
	if err != nil {
		return err
	}
	if err := cmp.Or(firstError(replies[:1]), t.c.timed(replies[1].Status())); err != nil {
		return err
	}
	there, err := replies[2].Attrs()
	if err != nil {
		return err
	}
	if there.Size != uint64(t.entry.Size) {
		return fmt.Errorf("%w: %d bytes arrived of %d", remote.ErrTemporary, there.Size, t.entry.Size)
	}
	return nil
}

// window is a transfer's writes in flight. No more than most bytes follow the oldest, so all but the last most bytes of
// what the server has are without a hole.
type window struct {
	t    *transfer
	ctx  context.Context // of the call that it belongs to
	m    *resume
	most int

	writes []write  // in flight, oldest first
	free   [][]byte // chunks to read into
	bytes  int      // in them
	acked  int64    // where the part of the file that the server confirmed ends
}

type write struct {
	f       *client.Batch
	content []byte
}

// freeMost is how many free chunks are kept: they are not part of the session's budget.
const freeMost = 2

// fill sends what in has beyond at. What is before was sent already, and is only hashed; it has to end with tail.
func (w *window) fill(in io.Reader, at int64, tail []byte) error {
	if err := w.skip(in, at, tail); err != nil {
		return err
	}
	w.acked = at
	for end := false; !end; {
		var buf []byte
		if last := len(w.free) - 1; last >= 0 {
			buf, w.free = w.free[last], w.free[:last]
		} else {
			buf = make([]byte, w.t.chunk)
		}
		n, err := w.read(in, buf)
		if end = err == io.EOF; err != nil && !end {
			return w.drain(err)
		}
		if n > 0 {
			if err := w.send(at, buf[:n]); err != nil {
				return w.drain(err)
			}
			at += int64(n)
		}
	}
	if at != w.t.entry.Size {
		return w.drain(fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, at, w.t.entry.Size))
	}
	if err := w.confirm(0); err != nil {
		return w.drain(err)
	}
	return nil
}

// read fills buf, with io.EOF at the end. io.ReadFull would hide how the source ended.
func (w *window) read(in io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = in.Read(buf[n:][:rclone.ThrottledRead(len(buf)-n)])
		rclone.Throttle(m)
		n += m
		if err == nil {
			err = w.ctx.Err()
		}
	}
	w.m.hash(buf[:n])
	return n, err
}

// skip reads the first at bytes of in and compares them with what is known of them.
func (w *window) skip(in io.Reader, at int64, tail []byte) error {
	if at == 0 {
		return nil
	}
	buf := make([]byte, 1<<20)
	var end []byte // the last bytes read, at least as many as tail has
	for left := at; left > 0; {
		n, err := in.Read(buf[:min(int64(len(buf)), left)])
		if n > 0 {
			w.m.hash(buf[:n])
			left -= int64(n)
			if end = append(end, buf[:n]...); len(end) > 2*len(buf) {
				end = append(end[:0], end[len(end)-len(buf):]...)
			}
		}
		if err == io.EOF {
			err = fmt.Errorf("%w: it ends after %d bytes", snapshot.ErrChanged, at-left)
		}
		if err == nil {
			err = w.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	if string(end[max(0, len(end)-len(tail)):]) != string(tail) {
		return fmt.Errorf("%w: the server has other bytes before %d", errStale, at)
	}
	if err := w.m.verify(); err != nil {
		return err
	}
	return w.m.confirm(at)
}

// send queues one write, once there is room. data is not free before confirm.
func (w *window) send(at int64, data []byte) error {
	if err := w.confirm(w.most - len(data)); err != nil {
		return err
	}
	if err := w.claim(int64(len(data))); err != nil {
		return err
	}
	w.writes = append(w.writes, write{w.t.s.Send(client.Lend(w.t.handle, at, data)), data})
	w.bytes += len(data)
	return nil
}

// claim takes n bytes of what the session's transfers may have in flight together. A transfer that has some waits for
// its own, not for those of others: they may wait for it.
func (w *window) claim(n int64) error {
	for !w.t.s.Budget.TryAcquire(n) {
		if w.bytes == 0 {
			return w.t.s.Budget.Acquire(w.ctx, n)
		}
		if err := w.confirm(w.bytes - 1); err != nil {
			return err
		}
	}
	return nil
}

// confirm waits until no more than the given bytes are in flight.
func (w *window) confirm(bytes int) error {
	for w.bytes > max(bytes, 0) {
		oldest := w.writes[0]
		replies, err := w.t.s.Await(w.ctx, oldest.f)
		if err == nil {
			err = replies[0].Status()
		}
		if err != nil {
			return err
		}
		n := len(oldest.content)
		w.writes = w.writes[1:]
		if len(w.free) < freeMost {
			w.free = append(w.free, oldest.content[:cap(oldest.content)])
		}
		w.bytes -= n
		w.t.s.Budget.Release(int64(n))
		w.acked += int64(n)
		if err := w.m.confirm(w.acked); err != nil {
			return err
		}
	}
	return nil
}

// drain gives up on what is in flight because of err. The content may still be on its way to the connection.
func (w *window) drain(err error) error {
	w.t.s.Budget.Release(int64(w.bytes))
	w.writes, w.bytes = nil, 0
	return err
}
