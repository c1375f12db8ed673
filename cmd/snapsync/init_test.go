//go:build unix

package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestHangupIsCaughtFirst reads in which order packages are initialised: a SIGHUP is caught before any of rclone's takes its
// time.
func TestHangupIsCaughtFirst(t *testing.T) {
	snapsync, err := exec.LookPath("snapsync")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(snapsync, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	hangup := strings.Index(string(said), "init github.com/snapsync/snapsync/cmd/snapsync/hangup ")
	rclone := strings.Index(string(said), "init github.com/rclone/rclone/")
	if hangup < 0 || rclone < 0 || hangup > rclone {
		t.Errorf("hangup at %d, rclone at %d of\n%s", hangup, rclone, said)
	}
}
