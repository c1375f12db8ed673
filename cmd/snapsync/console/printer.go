// Package console is the terminal of a command and what stands for it: output for people or for programs, the log, questions
// line by line.
//
// Log lines have rclone's shape; they go to stderr, above whatever is drawn there, or to a file that may rotate and be
// moved away. The package knows no flags and no mappings.
package console

import "io"

// Printer is where a command's output goes, and in what form.
type Printer struct {
	Out, Err    io.Writer
	JSON, Quiet bool

	Turn int // which of several mappings it is at, from 1; 0: there is only one
}
