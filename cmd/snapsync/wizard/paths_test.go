package wizard

import "testing"

func TestLiteral(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	if got := literal("/home/me/a$b"); got != "~/a$$b" {
		t.Errorf("got %s", got)
	}
}
