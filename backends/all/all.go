//go:build !slim

// Package all brings every rclone backend into the program that imports it, or, with the build tag
// slim, the common ones. Backends register themselves; nothing else is exported.
package all

import _ "github.com/rclone/rclone/backend/all"
