package console

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/journal"
)

// Observer turns the engine's events into log lines, and into JSON lines. Events come from several goroutines.
type Observer struct {
	Log       *slog.Logger
	JSON      io.Writer  // an object for each step; nil: none
	EmptyDirs bool       // directories are mirrored for their own sake
	mu        sync.Mutex // guards JSON
}

// Observe takes in one event.
func (o *Observer) Observe(ev event.Event) {
	switch ev.Type {
	case event.StepDone:
		o.done(ev.Step, ev.Err)
	case event.StepRetry:
		o.Log.Info("trying again", "path", text.Path(ev.Step.Path), "in", ev.Wait, "err", ev.Err)
	case event.Phase:
		o.Log.Debug(ev.Text)
	}
}

func (o *Observer) done(step *journal.Step, err error) {
	if o.JSON != nil && (o.EmptyDirs || !text.Emptied(step) || err != nil) {
		out := text.Done{Step: text.NewStep(step)}
		if err != nil {
			out.Error = err.Error()
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		text.WriteJSON(o.JSON, out)
	}
	switch {
	case !o.Log.Enabled(context.Background(), slog.LevelInfo):
	case err != nil:
		o.Log.Info("failed", "path", text.Path(step.Path), "err", err)
	default:
		o.Log.Info(text.Past(step), "path", text.Path(step.Path))
	}
}
