package console

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Interactive reports whether a person sits at both ends.
func (p *Printer) Interactive() bool {
	return isatty.IsTerminal(os.Stdin.Fd()) && IsTerminal(p.Out)
}
