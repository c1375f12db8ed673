package view

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Progress is how a run stands that ends by itself.
type Progress struct {
	Phase            string // what it does, as long as there is no plan
	Done, Total      int64  // bytes of the plan
	StepsDone, Steps int64  // of the plan; Steps is 0 where there is none
	Rate             float64
	Transfers        []Transfer // in flight, oldest first
	Stopping         bool       // it was interrupted
}

// draw returns at most height lines of at most width cells each: a headline, and beneath it the transfers.
//
//	━━━━┄┄┄┄┄┄  76 MiB of 177 MiB  12 MiB/s  ETA 8s  301 of 303 steps
//	━━━━━━━━━┄  91%    31 MiB    12 MiB/s  2024/raw/IMG_0001.raw
func (p *Progress) draw(width, height int, t theme) []string {
	if width < 1 || height < 1 {
		return nil
	}
	headline := text.Clean(p.Phase) + " …"
	if p.Steps > 0 {
		headline = fmt.Sprintf("%s of %s  %s  ETA %s  %s of %s", text.Size(p.Done), text.Size(p.Total), t.busy(text.Rate(p.Rate)),
			cmp.Or(text.ETA(p.Total-p.Done, p.Rate), "–"), text.Count(p.StepsDone), text.Counted(p.Steps, "step"))
		if bar := barWidth(width); bar > 0 {
			headline = t.busy(text.Gauge(p.Done, p.Total, bar)) + "  " + headline
		}
	}
	lines := []string{headline}
	if p.Stopping {
		lines = append(lines, t.warn("stopping; Ctrl-C again leaves at once"))
	}
	lines = append(lines, transferLines(p.Transfers, width, height-len(lines), t)...)
	for i, line := range lines {
		lines[i] = text.Fit(line, width)
	}
	return lines[:min(len(lines), height)]
}

// PlainProgress writes the headline to out, where nothing can be drawn: once a second if it has changed, until
// ctx is done.
func PlainProgress(ctx context.Context, out io.Writer, progress func() Progress) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for said := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p := progress()
		if line := strings.Join(p.draw(plainWidth, 1, plain), ""); line != said {
			fmt.Fprintln(out, line)
			said = line
		}
	}
}

const plainWidth = 100
