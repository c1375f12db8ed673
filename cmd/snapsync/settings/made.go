package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/snapsync/snapsync/backends/rclone"
)

// MadeOf identifies what stands in the files that a mapping is made of beside the config file: those of filter rules, and what rclone's
// configuration says of the remote. The error is that of a file of rules that cannot be read, or means nothing.
func (r *Resolver) MadeOf(s *Spec) (digest string, err error) {
	if err := r.StartRclone(); err != nil {
		return "", err
	}
	if _, err := s.Rules(); err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, files := range [][]string{s.IncludeFrom, s.ExcludeFrom, s.FilterFrom, s.FilesFrom, s.FilesFromRaw} {
		for _, path := range files {
			if path == "-" {
				continue // stdin has been read
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%q %q\n", path, content)
		}
	}
	fmt.Fprintf(sum, "%s %q", rclone.ConfigDigest(s.Remote), r.Own.inside(s.Src))
	return hex.EncodeToString(sum.Sum(nil)), nil
}
