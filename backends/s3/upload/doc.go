// Package upload sends files in parts, and goes on with those of earlier processes.
//
//	was = resume log of the path
//	if was is of another source, part size, bucket or object:  abort it; was = nothing
//	if was:      parts = list its parts; keep those that agree with what was remembered
//	otherwise:   remember the intent; create the upload; remember its id
//	read the file once, part by part:
//	    a kept part:  compare the checksum of the local bytes with the remembered one
//	    another:      send it, in parallel with others; remember number, size, ETag and checksum
//	complete; forget
//
// A crash, or a lost connection, anywhere in there is made good by the next Send of the path, which does
// the same. Nothing is aborted because of an error. Where the upload is gone, the object is looked at:
// it may have been completed just before. An intent without an id stands for an upload that may have been
// created: what the server then shows of this very key, begun since, is ours, and is aborted. Nothing else
// that other programs upload is touched.
//
// Requests are the client's affair, remembering remote.Uploads'.
package upload
