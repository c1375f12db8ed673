package mapping

import "time"

// timeout is how long a file system may take to answer while others wait for that.
const timeout = 5 * time.Second

// WithTimeout returns what ask returns, or false if that takes too long: a share whose server is gone
// blocks, for ever, whoever touches it, and must not block what has nothing to do with it. Then ask
// is left behind.
func WithTimeout[T any](ask func() T) (answer T, ok bool) {
	answered := make(chan T, 1)
	go func() { answered <- ask() }()
	select {
	case answer = <-answered:
		return answer, true
	case <-time.After(timeout):
		return answer, false
	}
}
