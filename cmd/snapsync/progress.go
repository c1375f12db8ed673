package main

import (
	"context"
	"os"
	"sync"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/view"
)

// showProgress shows how a run stands where a person can see it, or where it was asked for. What is returned
// takes it away.
func showProgress(w *world, asked bool, f *status.Activity) (end func()) {
	switch terminal := console.IsTerminal(w.Out); {
	case w.Quiet || w.JSON || !asked && !terminal:
		return func() {}
	case !terminal || os.Getenv("TERM") == "dumb":
		ctx, cancel := context.WithCancel(context.WithoutCancel(w.Ctx))
		var plain sync.WaitGroup
		plain.Go(func() { view.PlainProgress(ctx, w.Out, func() view.Progress { return view.FromProgress(w.Ctx, f) }) })
		return func() { cancel(); plain.Wait() }
	}
	bar := view.StartBar(view.BarConfig{
		Progress: func() view.Progress { return view.FromProgress(w.Ctx, f) }, Out: console.File(w.Out), Environ: os.Environ(),
	})
	restore := func() {}
	if console.IsTerminal(w.Err) { // else log lines go where a person has sent them
		restore = w.screen.Over(bar)
	}
	return func() {
		restore()
		if err := bar.Stop(); err != nil {
			w.Log.Error("no progress was shown: " + err.Error())
		}
	}
}
