package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// Bounds of a request. A request is small, and so is every answer but the events.
const (
	maxBody     = 64 << 10
	maxHeader   = 16 << 10
	headerTime  = 5 * time.Second
	requestTime = 30 * time.Second // reading it and answering it
	maxConns    = 128
)

// Server answers on the control socket.
type Server struct {
	host    Host
	feed    *Feed
	log     *slog.Logger
	readers chan struct{} // one element for each reader of events
	http    http.Server
}

// NewServer returns a server for host whose events come from feed. metrics answers GET /metrics; nil:
// there are none. log gets a line for each request at debug level; nil: discarded.
func NewServer(host Host, feed *Feed, metrics http.Handler, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{host: host, feed: feed, log: log, readers: make(chan struct{}, maxReaders)}
	ctx, cancel := context.WithCancel(context.Background())
	s.http = http.Server{
		Handler:           s.routes(metrics),
		ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withPeer,
	}
	s.http.RegisterOnShutdown(cancel) // streams of events never end by themselves
	return s
}

// Serve answers on l, which it closes, until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(&limitedListener{Listener: l, slots: make(chan struct{}, maxConns), closed: make(chan struct{})})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve control socket: %w", err)
}

// Shutdown lets requests end that are under way, streams of events at once, and ends Serve.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

// handler is a request that may fail.
type handler func(w http.ResponseWriter, r *http.Request) error

func (s *Server) routes(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, h handler) { mux.Handle(pattern, s.answer(h)) }
	route("GET /v1/version", s.version)
	route("GET /v1/status", s.status)
	route("GET /v1/events", s.events)
	route("POST /v1/{command}", s.command)
	if metrics != nil {
		route("GET /metrics", func(w http.ResponseWriter, r *http.Request) error { metrics.ServeHTTP(w, r); return nil })
	}
	route("/", unknown)
	return mux
}

// answer wraps what every request has in common: who may ask, bounds, and errors as JSON.
func (s *Server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := admit(r)
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			err = http.NewResponseController(w).SetWriteDeadline(begun.Add(requestTime))
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			writeError(w, err)
		}
		s.log.Debug("control", "method", r.Method, "path", r.URL.Path, "took", time.Since(begun), "err", err)
	})
}

// admit refuses strangers and browsers. The owner of this process is no stranger, nor is root, who can do anything
// without us; where the system does not tell who asks, the modes of the socket and its directory have to do. A browser
// cannot reach a unix socket by itself, but a proxy in front of the socket could; a browser says where a request comes
// from, other programs do not.
func admit(r *http.Request) error {
	if uid, known := r.Context().Value(peerKey{}).(int); known && uid != 0 && uid != os.Geteuid() {
		return &Error{Code: http.StatusForbidden, Message: "this process belongs to another user"}
	}
	for _, h := range []string{"Origin", "Sec-Fetch-Site", "Referer"} {
		if r.Header.Get(h) != "" {
			return &Error{Code: http.StatusForbidden, Message: "requests of browsers are refused", Remedy: "leave out the header " + h}
		}
	}
	return nil
}

func unknown(_ http.ResponseWriter, r *http.Request) error {
	code, message := http.StatusNotFound, "there is no "+r.URL.Path
	for _, known := range []string{"/v1/version", "/v1/status", "/v1/events", "/metrics"} {
		if r.URL.Path == known {
			code, message = http.StatusMethodNotAllowed, r.Method+" is not for "+r.URL.Path
		}
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/v1/"); ok && slices.Contains(Commands, name) {
		code, message = http.StatusMethodNotAllowed, "commands are sent with POST"
	}
	return &Error{Code: code, Message: message, Remedy: fmt.Sprintf("this process speaks version %d: docs/control.md", API)}
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, s.host.Version())
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	last := s.feed.Last() // before the status: an event too many is harmless, one that is missed is not
	all, err := s.host.Status(r.Context(), r.FormValue("mapping"))
	if err != nil {
		return err
	}
	if all == nil {
		all = []status.Status{}
	}
	return writeJSON(w, StatusReply{Event: last, Mappings: all})
}

// mappingID is the id of the mapping that a request asks for; "" if for none.
func (s *Server) mappingID(r *http.Request) (string, error) {
	name := r.FormValue("mapping")
	if name == "" {
		return "", nil
	}
	found, err := s.host.Status(r.Context(), name)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", NoMapping(name)
	}
	return found[0].ID, nil
}

func (s *Server) command(w http.ResponseWriter, r *http.Request) error {
	c := Command{Name: r.PathValue("command")}
	if !slices.Contains(Commands, c.Name) {
		return unknown(w, r)
	}
	if err := readBody(r, &c); err != nil {
		return err
	}
	out, err := s.host.Do(r.Context(), c)
	if err != nil {
		return err
	}
	if out.Mappings == nil {
		out.Mappings = []string{}
	}
	return writeJSON(w, out)
}

// readBody fills c from the body, which may be empty.
func readBody(r *http.Request, c *Command) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(c)
	if err == nil {
		if _, err = dec.Token(); err == nil {
			err = errors.New("there is more than one value")
		}
	}
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return &Error{Code: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body has more than %d bytes", tooLarge.Limit)}
	}
	return &Error{Code: http.StatusBadRequest, Message: "the body is not a command: " + err.Error(), Remedy: `for instance {"mapping":"work"}`}
}

func writeJSON(w http.ResponseWriter, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(data, '\n'))
	return err
}

// writeError answers with an *Error; any other becomes one.
func writeError(w http.ResponseWriter, err error) {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		e = &Error{Code: http.StatusInternalServerError, Message: err.Error()}
	}
	data, err := encode(e)
	if err != nil {
		data = []byte(`{"error":"the error cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(max(e.Code, http.StatusBadRequest))
	_, _ = w.Write(append(data, '\n')) // the caller is gone, then
}
