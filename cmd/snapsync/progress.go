package main

import (
	"cmp"
	"context"
	"os"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/view"
)

// showProgress shows how a run stands where a person can see it, or where it was asked for. What is returned
// takes it away.
func (a *app) showProgress(asked bool, f *flight) (end func()) {
	switch terminal := console.IsTerminal(a.Out); {
	case a.Quiet || a.JSON || !asked && !terminal:
		return func() {}
	case !terminal || os.Getenv("TERM") == "dumb":
		ctx, cancel := context.WithCancel(context.WithoutCancel(a.Ctx))
		var plain sync.WaitGroup
		plain.Go(func() { view.PlainProgress(ctx, a.Out, func() view.Progress { return f.progress(a.Ctx) }) })
		return func() { cancel(); plain.Wait() }
	}
	bar := view.StartBar(view.BarConfig{
		Progress: func() view.Progress { return f.progress(a.Ctx) }, Out: a.Out.(*os.File), Environ: os.Environ(),
	})
	restore := func() {}
	if console.IsTerminal(a.Err) { // else log lines go where a person has sent them
		restore = a.screen.Over(bar)
	}
	return func() {
		restore()
		if err := bar.Stop(); err != nil {
			a.Log.Error("no progress was shown: " + err.Error())
		}
	}
}

// progress is what is under way as the view shows it; the end of ctx stops it.
func (f *flight) progress(ctx context.Context) view.Progress {
	transfers, perSecond, left := f.transfers()
	f.mu.Lock()
	defer f.mu.Unlock()
	return view.Progress{
		Phase: cmp.Or(f.phase, "starting"), Done: max(f.planned-left, 0), Total: f.planned, StepsDone: f.done - f.doneBefore, Steps: f.steps,
		Rate: float64(perSecond), Transfers: shownTransfers(transfers, f.now()), Stopping: ctx.Err() != nil,
	}
}

// shownTransfers are transfers as the view shows them.
func shownTransfers(all []control.Transfer, now time.Time) (shown []view.Transfer) {
	for _, t := range all {
		rate := 0.0
		if took := now.Sub(t.Since).Seconds(); took > 0 {
			rate = float64(t.Done) / took
		}
		shown = append(shown, view.Transfer{Path: t.Path, Done: t.Done, Size: t.Size, Rate: rate})
	}
	return shown
}
