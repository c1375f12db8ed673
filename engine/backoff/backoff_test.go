package backoff

import (
	"testing"
	"time"
)

func TestPauses(t *testing.T) {
	p := Pauses{First: time.Minute, Max: time.Hour}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60}
	var last time.Duration
	for i := range want {
		last = p.Next(last)
		if after := p.After(int64(i + 1)); last != want[i]*time.Minute || after != last {
			t.Errorf("pause %d: want %v, got %v, and %v by their number", i+1, want[i]*time.Minute, last, after)
		}
	}
	if got := p.After(1 << 60); got != time.Hour {
		t.Errorf("after very many: %v", got)
	}
	if got := (Pauses{First: time.Minute, Max: time.Second}).Next(0); got != time.Second {
		t.Errorf("the limit is below the first: %v", got)
	}
}

func TestJitter(t *testing.T) {
	for range 1000 {
		if got := Jitter(time.Second); got < 3*time.Second/4 || got > 5*time.Second/4 {
			t.Fatalf("got %v", got)
		}
	}
}
