package remote

import "fmt"

// WithHint returns err with what a person can do about it, which is shown beneath the message. The errors that err wraps
// stay what they are.
func WithHint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// Hint is what exit.Of asks errors for.
func (h *hinted) Hint() string { return h.hint }
