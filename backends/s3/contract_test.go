package s3

import (
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestContract runs the contract suite in each of the ways in which the Connection can work.
func TestContract(t *testing.T) {
	server(t)
	for name, tt := range map[string]struct {
		options []string
		links   bool
		forget  bool
	}{
		"Other":  {options: []string{"provider=Other"}},
		"Links":  {options: []string{"provider=Other"}, links: true},
		"Minio":  {options: []string{"provider=Minio"}},
		"Parts":  {options: []string{"provider=Other", "upload_cutoff=0", "chunk_size=5M"}},
		"Forget": {options: []string{"provider=Other", "upload_cutoff=0"}, forget: true},
		"MD5":    {options: []string{"provider=Other", "use_data_integrity_protections=false", "use_unsigned_payload=false"}},
	} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				remote := with(scratch(t), tt.options...)
				cfg := backends.Config{Remote: remote, Uploads: tempDiary(t), Rclone: rclone.Options{Links: tt.links}}
				if tt.forget {
					cfg.Uploads = nil
				}
				read := func(path string) ([]byte, error) { return download(t, remote, path) }
				return enginetest.Subject{Connection: dial(t, cfg), Read: read, Links: tt.links, NoControl: true}
			})
		})
	}
}
