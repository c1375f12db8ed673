package client

import "testing"

func TestEscape(t *testing.T) {
	if got, want := escape("b/é +?%~._-'"), "b/%C3%A9%20%2B%3F%25~._-%27"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
