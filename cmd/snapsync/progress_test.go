package main

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Events and drawing must never wait for each other, and stop must end the view.
func TestProgressUnderLoad(t *testing.T) {
	w := &world{Printer: &console.Printer{Out: io.Discard}, Resolver: &settings.Resolver{Globals: &settings.Globals{}, Ctx: t.Context()}, screen: &console.Screen{Out: io.Discard}}
	p := status.NewActivity()
	end := showProgress(w, true, p)
	p.Observe(event.Event{Type: event.Planned, Steps: 4000, UploadBytes: 4000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 1000 {
					s := &journal.Step{Path: fmt.Sprint(g, i), Action: journal.Send, How: journal.Upload, New: &snapshot.Entry{Size: 1}}
					for _, e := range []event.Type{event.StepStart, event.StepProgress, event.StepRetry, event.StepProgress, event.StepDone} {
						p.Observe(event.Event{Type: e, Step: s, Bytes: 1})
					}
					if i%100 == 0 {
						fmt.Fprintln(w.screen, "a log line")
						time.Sleep(30 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		end()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the view and the events wait for each other")
	}
	if got := p.Progress(); got.StepsDone != 4000 || got.Done != 4000 || got.Total != 4000 || len(got.Transfers) != 0 {
		t.Errorf("%+v", got)
	}
}
