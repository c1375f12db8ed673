package exit

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("send x: %w", err) }
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {Usage("", "x"), 2}, {wrap(snapshot.ErrSourceGone), 3},
		{fmt.Errorf("%w: %w", snapshot.ErrSourceGone, syscall.EMFILE), 5}, {wrap(syscall.ENFILE), 5},
		{wrap(remote.ErrTemporary), 5}, {wrap(journal.ErrFull), 5}, {wrap(remote.ErrFatal), 7}, {wrap(journal.ErrDamaged), 7},
		{wrap(journal.ErrNewer), 7}, {wrap(engine.ErrNewSource), 22}, {wrap(remote.ErrOffline), 23},
		{wrap(Quiet(StatusHeld)), 21}, {errors.Join(wrap(remote.ErrOffline), errors.New("close")), 23},
	} {
		if got := Report(io.Discard, test.err); got != test.want {
			t.Errorf("%v: status %d, want %d", test.err, got, test.want)
		}
	}
}

func TestWorse(t *testing.T) {
	for _, c := range []struct{ a, b, want int }{
		{StatusOK, StatusSteps, StatusSteps}, {StatusPartial, StatusLocked, StatusPartial}, {StatusFatal, StatusHeld, StatusFatal},
		{StatusInterrupted, StatusFatal, StatusInterrupted}, {StatusOffline, StatusTemporary, StatusOffline},
	} {
		if got := Worse(c.a, c.b); got != c.want || Worse(c.b, c.a) != c.want {
			t.Errorf("%d and %d: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
