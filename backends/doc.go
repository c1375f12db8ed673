// Package backends turns an rclone remote into an remote.Connection.
//
// [Init] starts rclone inside this process, once. [Open] takes anything that rclone takes as a remote
// (a configured name, a connection string, a local path) and returns one of two Connections:
//
//   - generic works on any rclone backend, through rclone's fs.Fs interface. It calls the backends
//     themselves (Put, Move, Copy, DirMove), never rclone's operations, which compare, fall back,
//     merge and delete on their own account: the plan has decided all that already.
//   - local works on plain local directories with system calls alone, since half of what rclone's
//     local backend does per file (twice the stats, a directory made twice, a read of the result)
//     is for callers who know less than the engine does.
//
// # What is guaranteed
//
// What remote.Connection promises, for every backend: above all that a file is never visible in part.
// Where a backend shows files while they are written, or removes the old one when an upload fails,
// content goes to remote.PartialName and is renamed. Files that these Connections write are the
// files that rclone would have written: names in rclone's encoding, mtimes where rclone keeps them,
// symbolic links as NAME.rclonelink. rclone check and rclone sync agree with what they find.
//
// # Names
//
// The engine's paths are the bytes that the source's file system returns. rclone's are UTF-8 in its
// standard form. Translating is rclone's own encoder for local names, in both directions (encode
// and decode), so a name with invalid UTF-8, with control characters or with rclone's quoting runes
// comes back as it was.
//
// # Errors
//
// Every error of a backend passes through classify, which adds at most one of the engine's classes
// and keeps the original text. Opening follows the order that never mistakes an outage for something
// else: parse, look up, connect with one attempt and a short timeout, ask one question, and only
// then connect again with the patience that the user configured.
//
// # What it leaves to others
//
// Retries beyond those inside one request, scheduling, deciding what to send: the engine. Which
// backends exist: the importer of backends/all. Flags and terminals: cmd.
package backends
