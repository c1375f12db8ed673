package main

import "io"

// printer is where a command's output goes, and in what form.
type printer struct {
	stdout, stderr io.Writer
	JSON, Quiet    bool

	turn int // which of several mappings it is at, from 1; 0: there is only one
}
