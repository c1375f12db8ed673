package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Client asks the process behind a control socket. Concurrent use is allowed.
type Client struct {
	path string
	http http.Client
}

// ErrNotRunning means that nobody answers on the socket.
var ErrNotRunning = errors.New("no process answers on the control socket")

// ErrForeign means that the socket is another user's, or answered by one: nothing is asked of a stranger.
var ErrForeign = fmt.Errorf("%w: it belongs to another user", ErrNotRunning)

// ErrSilent means that a process has the socket and does not answer in time: the process is stopped, or hangs.
var ErrSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string { return "the running process does not answer" }

// Hint is the remedy.
func (silentError) Hint() string {
	return "it was stopped ('kill -CONT' has it go on, and do what was asked), or it hangs: 'kill -9' and a new start lose nothing"
}

// ExitStatus is that of an error that may go away by itself.
func (silentError) ExitStatus() int { return 5 }

// NewClient returns a client for the socket at path of a process whose states are beneath stateRoot. It does not connect
// yet, and never to a stranger's socket.
func NewClient(path, stateRoot string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialOwn(ctx, path, stateRoot) }
	return &Client{path: path, http: http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Path is the socket's.
func (c *Client) Path() string { return c.path }

// Version asks who answers.
func (c *Client) Version(ctx context.Context) (v Version, err error) {
	return v, c.call(ctx, http.MethodGet, "version", nil, nil, &v)
}

// Status asks how a mapping stands, by name or id, or all of them for "".
func (c *Client) Status(ctx context.Context, mapping string) (s StatusReply, err error) {
	return s, c.call(ctx, http.MethodGet, "status", about(mapping), nil, &s)
}

// Do sends a command.
func (c *Client) Do(ctx context.Context, cmd Command) (out Outcome, err error) {
	body, err := json.Marshal(cmd)
	if err != nil {
		return out, fmt.Errorf("encode command: %w", err)
	}
	return out, c.call(ctx, http.MethodPost, cmd.Name, nil, body, &out)
}

func about(mapping string) url.Values {
	if mapping == "" {
		return nil
	}
	return url.Values{"mapping": {mapping}}
}

// call makes one request within requestTime and decodes its answer.
func (c *Client) call(ctx context.Context, method, name string, query url.Values, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	resp, err := c.send(ctx, method, name, query, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("read answer of the running process: %w", err)
	}
	return nil
}

// send returns an answer that is no error.
func (c *Client) send(ctx context.Context, method, name string, query url.Values, body []byte) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: "snapsync", Path: fmt.Sprintf("/v%d/%s", API, name), RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the running process: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, ErrSilent
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return nil, fmt.Errorf("%w: it ended: %w", ErrNotRunning, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the running process: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	e := &Error{Code: resp.StatusCode}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(e); err != nil || e.Message == "" {
		e.Message = "the running process answered " + resp.Status
	}
	return nil, e
}

// Events calls fn with what happens to a mapping, or to all for "", after the event with the id after,
// or from now on for "". It returns the error of fn, ctx's, or that of a connection that ended.
func (c *Client) Events(ctx context.Context, mapping, after string, fn func(Event) error) error {
	query := about(mapping)
	if after != "" {
		if query == nil {
			query = url.Values{}
		}
		query.Set("after", after)
	}
	resp, err := c.send(ctx, http.MethodGet, "events", query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	err = readEvents(resp.Body, fn)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// readEvents parses a stream of events until the end, which is an error: a stream has none.
func readEvents(r io.Reader, fn func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var e Event
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if e.Type != "" {
				if err := fn(e); err != nil {
					return err
				}
			}
			e = Event{}
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			e.ID = value
		case "event":
			e.Type = value
		case "data":
			e.Data = json.RawMessage(value)
			_ = json.Unmarshal([]byte(value), &struct{ Mapping *string }{&e.Mapping}) // it may have none
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read events of the running process: %w", err)
	}
	return fmt.Errorf("read events of the running process: %w", io.ErrUnexpectedEOF)
}
