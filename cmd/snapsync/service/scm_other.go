//go:build !windows

package service

import (
	"context"
	"errors"
)

func newSCM() (Manager, error) { return nil, errors.New("no service manager of Windows here") }

// Run is for Windows, whose service manager speaks a protocol of its own with a process.
func Run(func(context.Context) int) (status int, ours bool) { return 0, false }
