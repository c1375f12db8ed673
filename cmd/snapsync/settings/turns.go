package settings

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// ForEach runs fn for each mapping. Of several, what goes wrong with one is reported and does not stop the
// others; the exit status is the most severe.
func ForEach[T any](ctx context.Context, p *console.Printer, all []T, name func(T) string, fn func(T) error) error {
	if len(all) == 1 {
		return fn(all[0])
	}
	worst := exit.StatusOK
	for i, one := range all {
		p.Turn = i + 1
		err := fn(one)
		if err != nil && ctx.Err() != nil {
			return err
		}
		worst = exit.Worse(worst, exit.ReportNamed(p.Err, name(one), err))
	}
	return exit.Quiet(worst)
}

// Heading sets what is shown of several mappings apart; of one there is none.
func Heading(p *console.Printer, m *mapping.Mapping) {
	switch {
	case p.Turn == 0:
	case p.JSON:
		text.WriteJSON(p.Out, text.Mapping{Type: "mapping", Mapping: m.Label(), Source: m.Source, Remote: m.Display})
	case p.Turn > 1:
		fmt.Fprintf(p.Out, "\n%s\n", m)
	default:
		fmt.Fprintln(p.Out, m)
	}
}
