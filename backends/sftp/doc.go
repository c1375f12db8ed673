// Package sftp is the accelerated Connection to SFTP servers. It is registered with package backends, which
// opens it for the remotes of rclone's sftp backend whose options it understands.
//
// What it does that rclone's backend does not:
//
//   - It pipelines, with the client in backends/sftp/client. A few connections carry the requests of many files; those of
//     one file that need not wait for each other travel together. A small file costs five requests and three round
//     trips, whatever directory it is in.
//   - It goes on where an interrupted upload of a large file stopped, also in another process: resume.go.
//   - It remembers host keys where the remote has no setting for them: login.go.
//
// # What is guaranteed
//
// What remote.Connection promises. A file is put together under remote.PartialName and renamed once the
// server has acknowledged every byte. What is there afterwards is what rclone would have made, in its
// encoding, with its whole-second mtimes and its NAME.rclonelink, so that rclone check and rclone sync
// agree with it. No shell is used, no command is run: a server that offers nothing but SFTP, in a chroot
// or not, gets the same treatment.
//
// # Failures
//
// A connection that breaks, or whose server gives no sign of life for backends.Config.Wait, fails everything in
// flight with ErrOffline; the next call dials anew. A server that refuses further connections is served over those
// that there are.
//
// # What it leaves to others
//
// Retries and scheduling: the engine. Remotes whose options it does not follow (an external ssh, proxies,
// pinned host keys, set_modtime=false): the generic Connection.
package sftp
