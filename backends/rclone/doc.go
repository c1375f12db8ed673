// Package rclone is what is known here of rclone as a library: one that belongs to the process that it is in.
//
// rclone is a program first. It has one configuration file, one log, one bandwidth limit, one set of options for each of
// its backends, and asks, exits and handles signals on its own account. [Init] starts it once and takes the latter from
// it: whatever it would exit for is an error here. What can differ between remotes it looks for in the context of each
// call, and [Context] puts it there. So every package that opens a remote or asks one for something begins with these
// two, and none but this one touches what belongs to the process.
//
// # Names
//
// There are three kinds, and a function between each two of them:
//
//   - A remote is what a person writes: a configured name, a connection string, a local path. [ParseName] takes it, and
//     [Name] says what identifies it, how it is shown without its secrets, and which directories it is kept in.
//   - A path is the bytes that the source's file system returns, as everywhere in the engine.
//   - A name on a remote is UTF-8 in rclone's standard form. [Encode] and [Decode] are rclone's own encoder for local
//     names, in both directions, so that a path with invalid UTF-8, with control characters or with rclone's quoting
//     runes comes back as it was.
//
// # Errors
//
// Every error of a backend passes through [Classify], which adds at most one of the classes of engine/remote and keeps
// the original text. It is the only place where errors of rclone's get a class. [Name.Explain] says what to do about a
// remote that cannot be used at all.
//
// # What it guarantees
//
// All functions may be called concurrently. Secrets in what rclone logs, and in the text forms of a Name but Text, are
// redacted. No directory, no file and no prompt appears but for those that [Settings] allow.
//
// # What it leaves to others
//
// Connecting, and what a Connection does: backends and what is beneath it. Which of rclone's backends exist: the importer
// of backends/all. Flags, environment and terminals: cmd.
package rclone
