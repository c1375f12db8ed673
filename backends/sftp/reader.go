package sftp

import (
	"context"
	"fmt"
	"io"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
)

const (
	readSize  = 32 << 10 // what every server gives at once
	readAhead = 32       // requests in flight
)

// reader reads a file of a known size in order, with many requests in flight.
type reader struct {
	ctx    context.Context // of the call that it belongs to
	s      *client.Session
	handle string
	asked  int64 // where the next request begins
	left   int64 // bytes not yet asked for

	fetches []fetch // oldest first
	rest    []byte  // of the oldest answer
}

type fetch struct {
	f  *client.Batch
	at int64
	n  int
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		for r.left > 0 && len(r.fetches) < readAhead {
			n := int(min(readSize, r.left))
			r.fetches = append(r.fetches, fetch{r.s.Send(client.Read(r.handle, r.asked, n)), r.asked, n})
			r.asked, r.left = r.asked+int64(n), r.left-int64(n)
		}
		if len(r.fetches) == 0 {
			return 0, io.EOF
		}
		var err error
		if r.rest, err = r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	rclone.Throttle(n)
	return n, nil
}

// next waits for the oldest answer. What a server gave less than it was asked for is asked for again.
func (r *reader) next() ([]byte, error) {
	oldest := r.fetches[0]
	replies, err := r.s.Await(r.ctx, oldest.f)
	if err != nil {
		return nil, err
	}
	data, err := replies[0].Data()
	if client.HasCode(err, client.FXEOF) {
		err = fmt.Errorf("%w: the file became shorter while it was read", remote.ErrTemporary)
	}
	if err == nil && (len(data) == 0 || len(data) > oldest.n) {
		err = client.ErrGarbled
	}
	if err != nil {
		return nil, err
	}
	if short := oldest.n - len(data); short > 0 {
		at := oldest.at + int64(len(data))
		r.fetches[0] = fetch{r.s.Send(client.Read(r.handle, at, short)), at, short}
	} else {
		r.fetches = r.fetches[1:]
	}
	return data, nil
}
