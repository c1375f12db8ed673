package client

import (
	"io"
	"time"
)

// queue is packets on their way to the writer, in order. Their bytes are copied, but for content that is lent.
type queue struct {
	requests int
	bytes    int
	since    time.Time // when the first was queued, if they are held back: see Session.gathers
	own      []byte    // all but what is lent
	lent     []loan
}

// loan is content that goes where it lies.
type loan struct {
	after   int // bytes of own
	content []byte
}

// keepQueue is how much room a queue keeps once it was written.
const keepQueue = 1 << 20

func (q *queue) add(r *Request, id uint32) {
	q.requests++
	before := len(q.own)
	q.own = r.appendTo(q.own, id)
	q.bytes += len(q.own) - before
	if r.lent {
		q.lent = append(q.lent, loan{len(q.own), r.content})
		q.bytes += len(r.content)
	}
}

func (q *queue) writeTo(w io.Writer) error {
	at := 0
	for _, l := range q.lent {
		if _, err := w.Write(q.own[at:l.after]); err != nil {
			return err
		}
		if _, err := w.Write(l.content); err != nil {
			return err
		}
		at = l.after
	}
	if at == len(q.own) {
		return nil
	}
	_, err := w.Write(q.own[at:])
	return err
}

// clear empties the queue, which keeps its room.
func (q *queue) clear() {
	clear(q.lent)
	*q = queue{own: q.own[:0], lent: q.lent[:0]}
	if cap(q.own) > keepQueue {
		q.own = nil
	}
}
