package daemon

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
)

// What the engine found to be the best number of transfers is in the status, for programs and for people.
func TestStatusSaysHowManyAtOnce(t *testing.T) {
	r := newDaemonRig(t, "one")
	l := r.loop("one", 1)
	l.mu.Lock()
	l.status.Transfers = 12
	l.mu.Unlock()
	l.enter(loop.Syncing, "")
	r.until("the number", func() bool { live := r.status("one").Live; return live != nil && live.AtOnce == 12 })
	st := r.status("one")
	st.Live.Transfers, st.Live.Rate, st.Live.Left = []status.Transfer{{Path: "big", Size: 200, Done: 100}}, 2048, 3072
	var b bytes.Buffer
	if err := status.Write(&b, "one", &st, time.Now()); err != nil {
		t.Fatal(err)
	}
	if want := "2.0 KiB/s, 3.0 KiB left, at most 12 at once"; !strings.Contains(b.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, &b)
	}
}
