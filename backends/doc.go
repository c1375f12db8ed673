// Package backends turns an rclone remote into a remote.Connection.
//
// [Open] takes anything that rclone takes as a remote (a configured name, a connection string, a local path) and
// returns the Connection of its [Accelerator], if there is one that understands it, or one of two others:
//
//   - generic, in backends/generic, works on any rclone backend, through rclone's fs.Fs interface.
//   - local, in backends/local, works on plain directories of this machine with system calls alone.
//
// [Accelerator]s open the remotes of one rclone backend by other means. They register themselves with [Accelerate] and
// get what Open knows of the remote as [Details].
//
// # What is guaranteed
//
// What remote.Connection promises, whichever of them it is; that is held to by one contract suite. What cannot be done by
// one of them, because of an option that it does not understand, is done by the generic one, and the log says why.
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
