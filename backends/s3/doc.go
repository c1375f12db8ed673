// Package s3 is the accelerated Connection to S3 and to what speaks its protocol.
//
// Importing it makes backends.Open use it for rclone remotes of type s3 whose provider and options it
// understands; docs/s3.md lists them. It needs no configuration of its own.
//
// # What is guaranteed
//
// What remote.Connection promises. Objects look as rclone would have written them: key encoding, mtime
// in the metadata, content type, storage class, encryption, ACL. rclone check and rclone sync agree with
// what they find. One thing is not written unless it is asked for: the MD5 of a multipart object, which
// would have to be known before the first byte is sent, and so costs a second read.
//
// # Small files
//
// A file below upload_cutoff is read into memory, and sent in one request with a checksum that the server
// verifies before it shows the object: nothing is asked before, or after. Memory is taken from one budget
// for all requests of a Connection, so it depends on neither the size of files nor on their number.
//
// # Large files
//
// A larger one is sent in parts: see package upload. What a crash left is gone on with, or aborted. Uploads that
// nobody went on with for backends.Config.UploadAge are aborted when the remote is opened.
//
// # What it leaves to others
//
// Scheduling, and retries beyond those inside one request: the engine. Remembering: the journal. Options
// and providers that it does not understand: rclone, through the generic Connection.
package s3
