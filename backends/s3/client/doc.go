// Package client makes the requests to one bucket.
//
// It knows errors by the names that servers give them, checksums, and the requests themselves, with retries,
// throttling and a bucket that is made when it is missing. It knows nothing of paths, of what is remembered, or of
// which requests make up a Send.
//
// Errors are the SDK's. Classify gives them the engine's class, and says them in fewer words.
package client
