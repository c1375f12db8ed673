package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A stream of events looks like this. `lost` says that events are missing before the next one: a
// reader asks for the status again. A line with a colon only keeps the connection alive.
//
//	retry: 1000
//
//	id: k2x9-17
//	event: step
//	data: {"type":"step","mapping":"work-…","action":"send","path":"a.txt",…}
//
//	event: lost
//	data: {"type":"lost","count":12}
//
//	:
const (
	maxReaders  = 32               // of events, at once
	eventsAtime = 256              // written at once
	readerTime  = 10 * time.Second // a reader that takes nothing for so long is gone
)

// silence is the longest time without a line. A variable for the tests.
var silence = 15 * time.Second

// lostEvent says how many events a reader did not get; -1: nobody knows.
type lostEvent struct {
	Type  string `json:"type"`
	Count int64  `json:"count"`
}

// events is GET /v1/events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		return &Error{Code: http.StatusServiceUnavailable, Message: "too many readers of events", Remedy: "close one of them"}
	}
	mapping, err := s.mappingID(r)
	if err != nil {
		return err
	}
	e := eventWriter{to: w, control: http.NewResponseController(w), mapping: mapping}
	at := s.feed.now()
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.FormValue("after")
	}
	e.buf.WriteString("retry: 1000\n\n")
	if id != "" {
		known := false
		if at, known = s.feed.after(id); !known {
			e.lost(-1)
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s.follow(r, &e, at)
	return nil // it has begun: an error could not be told any more
}

// follow writes what comes after at until the reader or the process is gone.
func (s *Server) follow(r *http.Request, e *eventWriter, at cursor) {
	alive := time.NewTicker(silence)
	defer alive.Stop()
	for {
		events, next, lost, grown := s.feed.read(at, eventsAtime)
		at = next
		if lost > 0 {
			e.lost(int64(lost))
		}
		for i := range events {
			e.add(&events[i])
		}
		if e.flush() != nil {
			return
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-grown:
		case <-alive.C:
			e.buf.WriteString(":\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

// eventWriter gathers events and writes them at once.
type eventWriter struct {
	to      http.ResponseWriter
	control *http.ResponseController
	mapping string // "": all
	buf     bytes.Buffer
}

func (e *eventWriter) lost(n int64) {
	data, _ := json.Marshal(lostEvent{"lost", n})
	fmt.Fprintf(&e.buf, "event: lost\ndata: %s\n\n", data)
}

func (e *eventWriter) add(ev *Event) {
	if e.mapping != "" && ev.Mapping != "" && ev.Mapping != e.mapping {
		return
	}
	data, err := encode(ev.Data)
	if err != nil {
		return // a mistake of ours, which the tests of each event find
	}
	fmt.Fprintf(&e.buf, "id: %s\nevent: %s\ndata: %s\n\n", ev.ID, ev.Type, data)
}

// flush sends what was gathered; an error means that the reader is gone or does not read.
func (e *eventWriter) flush() error {
	if e.buf.Len() == 0 {
		return nil
	}
	if err := e.control.SetWriteDeadline(time.Now().Add(readerTime)); err != nil {
		return err
	}
	if _, err := e.to.Write(e.buf.Bytes()); err != nil {
		return err
	}
	e.buf.Reset()
	return e.control.Flush()
}

// encode is JSON on one line, with paths readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
