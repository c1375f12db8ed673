//go:build !slim

// Package all brings every rclone backend into the program that imports it, or, with the build tag
// slim, the common ones; and the accelerated Connections. Both register themselves; nothing else is exported.
package all

import (
	_ "github.com/rclone/rclone/backend/all"

	_ "github.com/snapsync/snapsync/backends/s3"
	_ "github.com/snapsync/snapsync/backends/sftp"
)
