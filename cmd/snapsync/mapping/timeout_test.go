package mapping

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			takes time.Duration
			want  bool
		}{{0, true}, {timeout - 1, true}, {time.Hour, false}} {
			begun := time.Now()
			got, ok := WithTimeout(func() int { time.Sleep(c.takes); return 7 })
			if ok != c.want || ok && got != 7 || time.Since(begun) > timeout {
				t.Errorf("%v: %d, %v after %v", c.takes, got, ok, time.Since(begun))
			}
		}
		time.Sleep(2 * time.Hour) // what was left behind ends
	})
}
