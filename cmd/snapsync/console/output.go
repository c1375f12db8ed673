package console

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Output is stdout or stderr of a process. At first a Write waits for the reader, as people and pipes expect. KeepGoing is for
// work that does not end because nobody listens any more; Detach for work that does not even wait.
type Output struct {
	File *os.File

	mu      sync.Mutex // guards what follows
	goesOn  bool       // a reader that is gone is no error
	log     *slog.Logger
	more    chan struct{} // has room for one: something was queued; nil: Detach was not called
	ended   chan struct{} // closed when all that was queued before Close is written
	closing bool
	queue   [][]byte
	queued  int   // bytes in queue
	dropped int64 // lines since the queue was full, until it is empty again
	gone    bool  // the reader
}

const (
	maxQueued = 1 << 20                // bytes that a reader may fall behind
	lastWords = 500 * time.Millisecond // for what is queued when the process ends
)

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	if o.more == nil {
		goesOn := o.goesOn
		o.mu.Unlock()
		n, err := o.File.Write(p)
		if goesOn && isBrokenPipe(err) {
			return len(p), nil
		}
		return n, err
	}
	defer o.mu.Unlock()
	if o.gone || o.dropped > 0 || o.queued+len(p) > maxQueued {
		o.dropped += int64(bytes.Count(p, []byte("\n")))
		return len(p), nil
	}
	o.queue = append(o.queue, bytes.Clone(p))
	o.queued += len(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// KeepGoing makes writing to a reader that is gone no error, and no end of the process.
func KeepGoing(outputs ...io.Writer) {
	surviveBrokenPipes()
	for _, w := range outputs {
		if o := outputOf(w); o != nil {
			o.mu.Lock()
			o.goesOn = true
			o.mu.Unlock()
		}
	}
}

// Detach makes outputs lossy: no Write waits, and what the reader does not take in time is dropped. The log says so, and how much.
func Detach(log *slog.Logger, outputs ...io.Writer) {
	KeepGoing(outputs...)
	for _, w := range outputs {
		if o := outputOf(w); o != nil {
			o.mu.Lock()
			o.log, o.more, o.ended = log, make(chan struct{}, 1), make(chan struct{})
			o.mu.Unlock()
			go o.pump()
		}
	}
}

// Close gives what is queued a moment to be written.
func (o *Output) Close() {
	o.mu.Lock()
	more, ended := o.more, o.ended
	o.closing = true
	o.mu.Unlock()
	if more == nil {
		return
	}
	select {
	case more <- struct{}{}:
	default:
	}
	select {
	case <-ended:
	case <-time.After(lastWords):
	}
}

// pump writes what is queued, in the one goroutine that a reader may keep waiting.
func (o *Output) pump() {
	defer close(o.ended)
	for range o.more {
		for line := o.next(); line != nil; line = o.next() {
			if _, err := o.File.Write(line); err != nil {
				o.lost(err)
			}
		}
		o.mu.Lock()
		done := o.closing && len(o.queue) == 0 // what was queued since is announced by another token
		o.mu.Unlock()
		if done {
			return
		}
	}
}

// next takes the oldest of what is queued; nil: there is nothing. The reader has caught up then.
func (o *Output) next() []byte {
	o.mu.Lock()
	if len(o.queue) > 0 {
		defer o.mu.Unlock()
		line := o.queue[0]
		o.queue, o.queued = o.queue[1:], o.queued-len(line)
		return line
	}
	dropped := o.dropped
	if !o.gone {
		o.dropped = 0
	}
	gone, log := o.gone, o.log
	o.mu.Unlock()
	if dropped > 0 && !gone {
		log.Warn("output was dropped: its reader stood still", "to", o.File.Name(), "lines", dropped)
	}
	return nil
}

// lost drops everything from now on if the reader is gone. Any other error is one of that line.
func (o *Output) lost(err error) {
	o.mu.Lock()
	first := !o.gone && isBrokenPipe(err)
	if first {
		o.gone, o.queue, o.queued = true, nil, 0
	}
	log := o.log
	o.mu.Unlock()
	if first {
		log.Warn("output is dropped from now on: its reader is gone", "to", o.File.Name(), "err", errors.Unwrap(err))
	}
}

// outputOf returns the Output that w writes to; nil: w is none.
func outputOf(w io.Writer) *Output {
	if safe, ok := w.(text.Safe); ok {
		w = safe.Writer
	}
	o, _ := w.(*Output)
	return o
}
