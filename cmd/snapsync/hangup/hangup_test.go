//go:build unix

package hangup

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestTo sends a SIGHUP before and one after To: both arrive, and neither ends the process.
func TestTo(t *testing.T) {
	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	catch(early) // as for `snapsync run`
	hangUp()
	for begun := time.Now(); len(early) == 0; time.Sleep(time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatal("the first did not come")
		}
	}
	c := make(chan os.Signal, 2)
	To(c)
	hangUp()
	for n := range 2 {
		select {
		case s := <-c:
			if s != syscall.SIGHUP {
				t.Errorf("signal %d is %v", n+1, s)
			}
		case <-time.After(time.Minute):
			t.Fatalf("signal %d did not come", n+1)
		}
	}
}
