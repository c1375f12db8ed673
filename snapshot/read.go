package snapshot

import "errors"

// ErrChanged means that a file was not the same before, while and after it was read. What was read
// of it must not be acknowledged, and must not become visible.
var ErrChanged = errors.New("source changed while it was read")
