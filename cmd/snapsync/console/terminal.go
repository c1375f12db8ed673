package console

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"
)

// File returns the file that w writes to; nil: w is none.
func File(w io.Writer) *os.File {
	if o := outputOf(w); o != nil {
		return o.File
	}
	f, _ := w.(*os.File)
	return f
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f := File(w)
	return f != nil && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Size returns the columns and rows of the terminal that w is; 0: w is none.
func Size(w io.Writer) (width, height int) {
	f := File(w)
	if f == nil {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// Interactive reports whether a person sits at both ends.
func (p *Printer) Interactive() bool {
	return isatty.IsTerminal(os.Stdin.Fd()) && IsTerminal(p.Out)
}
