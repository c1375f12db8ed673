package all

import _ "github.com/rclone/rclone/backend/all"
