// Package backends turns an rclone remote into a remote.Connection.
//
// [Open] takes anything that rclone takes as a remote (a configured name, a connection string, a local path) and
// returns the Connection of its [Accelerator], if there is one that understands it, or one of two others:
//
//   - generic works on any rclone backend, through rclone's fs.Fs interface. It calls the backends
//     themselves (Put, Move, Copy, DirMove), never rclone's operations, which compare, fall back,
//     merge and delete on their own account: the plan has decided all that already.
//   - local, in backends/local, works on plain directories of this machine with system calls alone.
//
// # What is guaranteed
//
// What remote.Connection promises, for every backend: above all that a file is never visible in part.
// Where a backend shows files while they are written, or removes the old one when an upload fails,
// content goes to remote.PartialName and is renamed. Files that these Connections write are the
// files that rclone would have written: names in rclone's encoding, mtimes where rclone keeps them,
// symbolic links as NAME.rclonelink. rclone check and rclone sync agree with what they find.
//
// # Errors
//
// They have the classes that rclone.Classify gives them. Opening follows the order that never mistakes an outage for
// something else: parse, look up, connect with one attempt and a short timeout, ask one question, and only then
// connect again with the patience that the user configured.
//
// # What it leaves to others
//
// Retries beyond those inside one request, scheduling, deciding what to send: the engine. Which
// backends exist: the importer of backends/all. Flags and terminals: cmd.
package backends
