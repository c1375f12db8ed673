//go:build !linux

package sftp

import "testing"

func smallDisk(t *testing.T) string {
	t.Helper()
	t.Skip("no way to make a small file system here")
	return ""
}
