package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// throttled counts the answers that say the server is asked too much. A retry makes them good, so the engine would
// never learn of them, and go on crowding the server.
type throttled struct{ n atomic.Int64 }

// see counts an attempt that failed for that reason. The decision is left to others.
func (c *throttled) see(err error) aws.Ternary {
	if tooMany(status(err)) || throttleCodes.IsErrorThrottle(err) == aws.TrueTernary {
		c.n.Add(1)
	}
	return aws.UnknownTernary
}

var throttleCodes = retry.IsErrorThrottles(retry.DefaultThrottles)

// tooMany reports whether an HTTP status is one for too many requests.
func tooMany(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// Pauses between the attempts at one request. The engine is the one with patience.
const (
	firstRetryPause = 50 * time.Millisecond
	maxRetryPause   = 500 * time.Millisecond
)

// retryPause is how long to wait after so many attempts. Half of it is random, so that requests which were refused
// together do not come back together.
func retryPause(attempts int, _ error) (time.Duration, error) {
	pause := maxRetryPause
	if attempts < 5 {
		pause = min(maxRetryPause, firstRetryPause<<max(attempts-1, 0))
	}
	return pause/2 + rand.N(pause/2), nil
}

// maxRefusals is how often a server that is crowded is asked again before the engine hears of it.
const maxRefusals = 8

// whileCrowded repeats a request while the server is crowded. It is for those that would cost their Send, and so a
// second reading of the file.
func whileCrowded(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if n == maxRefusals || !tooMany(status(err)) {
			return err
		}
		pause, _ := retryPause(n, nil)
		sleep(ctx, pause)
	}
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
