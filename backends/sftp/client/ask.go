package client

import (
	"context"
	"path"
	"strings"
)

// Stat returns the attributes of what is at a path. It follows symbolic links on the server.
func (s *Session) Stat(ctx context.Context, full string) (Attrs, error) {
	return s.attrs(ctx, Stat(full))
}

// Lstat is Stat, and does not follow.
func (s *Session) Lstat(ctx context.Context, full string) (Attrs, error) {
	return s.attrs(ctx, Lstat(full))
}

func (s *Session) attrs(ctx context.Context, r Request) (Attrs, error) {
	replies, err := s.Do(ctx, r)
	if err != nil {
		return Attrs{}, err
	}
	return replies[0].Attrs()
}

// Realpath makes a path full, from the directory that one is in after the log-in.
func (s *Session) Realpath(ctx context.Context, at string) (string, error) {
	replies, err := s.Do(ctx, Realpath(at))
	if err != nil {
		return "", err
	}
	names, err := replies[0].Names()
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", ErrGarbled
	}
	return path.Clean("/" + names[0].Name), nil
}

// ReadDir reads a directory, without . and .., with several requests in flight: the larger it turns out, the more.
func (s *Session) ReadDir(ctx context.Context, full string) (entries []Named, err error) {
	handle, err := s.Open(ctx, OpenDir(full))
	if err != nil {
		return nil, err
	}
	defer s.Send(Close(handle))
	more := ReadDir(handle)
	for ahead := 2; ; ahead = min(2*ahead, maxAhead) {
		requests := make([]Request, ahead)
		for i := range requests {
			requests[i] = more
		}
		replies, err := s.Do(ctx, requests...)
		if err != nil {
			return nil, err
		}
		for i := range replies {
			names, err := replies[i].Names()
			if HasCode(err, FXEOF) {
				return entries, nil
			} else if err != nil {
				return nil, err
			}
			for _, e := range names {
				if e.Name != "." && e.Name != ".." && !strings.Contains(e.Name, "/") {
					entries = append(entries, e)
				}
			}
		}
	}
}

// maxAhead is how many requests for more of one large directory are in flight.
const maxAhead = 16
