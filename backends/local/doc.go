// Package local is the Connection to a plain directory of this machine, by system calls alone.
//
// Half of what rclone's local backend does for each file (twice the stats, a directory made twice, a read of the result)
// is for callers who know less than the engine does.
//
// # What it guarantees
//
// What remote.Connection promises, above all that a file is never visible in part: it is written under
// remote.PartialName, given its mtime, and renamed. What is there afterwards is what rclone would have left. Once the
// root was seen, nothing is made in its place if it goes away: its disk may have been unmounted.
//
// Nothing outside of the root is written, moved, changed, deleted or read: a symbolic link in place of a directory leads
// nowhere, not even to another directory of the remote. The root itself may be one.
//
// Until Flush a power cut may leave the last files missing or empty although they were acknowledged; Caps.Volatile says so.
//
// # What it leaves to others
//
// Metadata, backups and rclone's options: the generic Connection, which backends opens in its place.
package local
