// Package client speaks SFTP over SSH: version 3 of the protocol, with those of OpenSSH's extensions that are offered.
//
// It pipelines: any requests may be in flight together, not only those for the bytes of one file (docs/decisions/011).
//
//	replies, err := s.Do(ctx, client.Open(path, client.FlagRead), client.Stat(path))    sent together, waited for together
//	f := s.Send(client.Read(handle, 0, n)); …; replies, err := s.Await(ctx, f)          sent now, waited for later
//
// Any number of goroutines may use one [Session]. What is queued while the line or the server is busy leaves in one piece.
// A [Pool] lends sessions, and dials another one when there is a crowd.
//
// # What it guarantees
//
// Requests of one call leave in their order, with nothing in between; the server may answer in any. What was given up on
// may happen all the same. A connection that breaks, or whose server gives no sign of life although it owes an answer, fails
// everything in flight with remote.ErrOffline, and a pool dials anew. Packets from the server are checked: whatever it sends,
// there is an error and neither a panic nor a huge allocation.
//
// No shell is used and no command is run, but for one that the Config names.
//
// # Which server it is
//
// [HostKeys] decides, before anything secret is sent.
//
// # What it leaves to others
//
// Paths, which are the server's here; temporary names, resuming, retries; and everything that rclone has options for, but
// for their names in messages. Of the engine it knows the classes of errors.
package client
