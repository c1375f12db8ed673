//go:build !windows

package main

import (
	"context"
	"errors"
)

func newWindowsService(*app) (serviceManager, error) {
	return nil, errors.New("no service manager of Windows here")
}

// asService is for Windows, whose service manager speaks a protocol of its own with a process.
func asService(func(context.Context) int) (status int, ok bool) { return 0, false }
