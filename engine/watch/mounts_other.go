//go:build !linux

package watch

import "log/slog"

// readMounts has no table to read.
func readMounts(string, *slog.Logger) map[string]mount { return nil }
