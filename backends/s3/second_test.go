package s3

import (
	"os"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestContractSecond runs over another server than versitygw, whole files and files in parts.
func TestContractSecond(t *testing.T) {
	t.Setenv("SNAPSYNC_TEST_REMOTES", os.Getenv("SNAPSYNC_TEST_SECOND"))
	server(t)
	for name, options := range map[string][]string{"Whole": nil, "Parts": {"upload_cutoff=0", "chunk_size=5M"}} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				remote := with(scratch(t), options...)
				read := func(path string) ([]byte, error) { return download(t, remote, path) }
				c := dial(t, backends.Config{Remote: remote, Uploads: tempDiary(t)})
				return enginetest.Subject{Connection: c, Read: read, NoControl: true}
			})
		})
	}
}
