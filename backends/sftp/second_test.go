package sftp

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestContractSecond runs over another server than OpenSSH: proftpd's mod_sftp, with a password, and in
// both ways to rename. What differs between servers of one protocol is mostly what they say to the same mistake.
func TestContractSecond(t *testing.T) {
	remote, ok := "", false
	for _, server := range strings.Fields(os.Getenv("SNAPSYNC_TEST_SECOND")) {
		if remote, ok = strings.CutPrefix(server, "sftp="); ok {
			break
		}
	}
	if !ok {
		t.Skip("SNAPSYNC_TEST_SECOND names no sftp remote: run scripts/servers")
	}
	for name, plain := range map[string]bool{"Plain": false, "NoPosixRename": true} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				s := subject(t, backends.Config{
					Remote:  remote + "/accelerated-" + strings.ToLower(rand.Text()[:10]),
					Uploads: &noted{}, Rclone: rclone.Options{Links: !plain},
				})
				if plain {
					withoutPosixRename(s.Connection.(*connection))
				}
				return s
			})
		})
	}
}
