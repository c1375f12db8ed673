// Package generic is the Connection on any backend of rclone's, through rclone's interface fs.Fs.
//
// It calls the backends themselves (Put, Move, Copy, DirMove), never rclone's operations, which compare, fall back,
// merge and delete on their own account: the plan has decided all that already.
//
// # What it guarantees
//
// What remote.Connection promises, for every backend: above all that a file is never visible in part. Where a backend
// shows files while they are written, or removes the old one when an upload fails, content goes to remote.PartialName and
// is renamed. Files are those that rclone would have written: names in rclone's encoding, mtimes where rclone keeps
// them, symbolic links as NAME.rclonelink. rclone check and rclone sync agree with what they find.
//
// Every call returns soon after its context is done, whatever the backend is stuck in, and within seconds when the remote
// is gone: a backend would repeat its request, with all others behind one pacer, for minutes.
//
// # What a failure means
//
// What failed may have happened. So nothing that could be the last copy of a file is removed: see replace. Where a
// backend's word for a failure says nothing, what is there is looked at.
//
// # What it leaves to others
//
// Retries beyond those inside one request: the engine. Resuming, pipelining, deleting in batches, which rclone's
// interface has no words for: accelerated Connections.
package generic
