//go:build !linux

package watch

// moreWatches says how to get more watches: here each takes an open file, or several.
func moreWatches(int) string { return moreInstances() }

func moreInstances() string { return "raise the limit of open files (ulimit -n), and start again" }
