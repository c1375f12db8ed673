//go:build slim

// Package all brings every rclone backend into the program that imports it, or, with the build tag
// slim, the common ones; and the accelerated Connections. Both register themselves; nothing else is exported.
package all

import (
	_ "github.com/rclone/rclone/backend/alias"
	_ "github.com/rclone/rclone/backend/azureblob"
	_ "github.com/rclone/rclone/backend/b2"
	_ "github.com/rclone/rclone/backend/crypt"
	_ "github.com/rclone/rclone/backend/drive"
	_ "github.com/rclone/rclone/backend/ftp"
	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/memory"
	_ "github.com/rclone/rclone/backend/s3"
	_ "github.com/rclone/rclone/backend/sftp"
	_ "github.com/rclone/rclone/backend/webdav"

	_ "github.com/snapsync/snapsync/backends/s3"
	_ "github.com/snapsync/snapsync/backends/sftp"
)
