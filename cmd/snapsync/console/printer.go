// Package console is the terminal of a command and what stands for it: output for people or for programs, the log, questions
// line by line.
//
// Log lines have rclone's shape; they go to stderr, above whatever is drawn there, or to a file that may rotate and be
// moved away. The package knows no flags and no mappings.
package console

import (
	"fmt"
	"io"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Printer is where a command's output goes, and in what form.
type Printer struct {
	Out, Err    io.Writer
	JSON, Quiet bool

	Turn int // which of several mappings it is at, from 1; 0: there is only one
}

// Row prints v for programs, or a line for people.
func (p *Printer) Row(v any, format string, args ...any) error {
	if p.JSON {
		return text.WriteJSON(p.Out, v)
	}
	_, err := fmt.Fprintf(p.Out, format+"\n", args...)
	return err
}

// Say is Row for what people who want quiet do not get.
func (p *Printer) Say(v any, format string, args ...any) error {
	if p.Quiet && !p.JSON {
		return nil
	}
	return p.Row(v, format, args...)
}
