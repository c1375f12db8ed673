package sftp

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestEpochIsKnown lists a file of 1970-01-01 00:00:00, which is an mtime like any other, although 0 says elsewhere that nobody
// knows it.
func TestEpochIsKnown(t *testing.T) {
	caps := remote.Caps{SetModTime: true, Precision: time.Second, Mtimes: remote.MtimeRange{Wraps: true}}
	there := describe("a", snapshot.File, client.Attrs{Size: 1})
	base := there.Adopted(&caps)
	here := snapshot.Entry{Kind: snapshot.File, Size: 1}
	if !remote.KnowsMtime(&base) || !caps.SameMtime(&base, &here) || !caps.MayHold(base.Mtime, here.Mtime) {
		t.Errorf("listed as %+v", base)
	}
}
