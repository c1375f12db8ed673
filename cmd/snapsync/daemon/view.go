package daemon

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/cmd/snapsync/view"
)

// openView shows the mappings live if there is a terminal for it. What is returned takes the view away
// and leaves the terminal as it was.
func (d *process) openView() (end func()) {
	if d.JSON || d.Quiet || !console.IsTerminal(d.Out) || !console.IsTerminal(os.Stdin) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	d.lines.mu.Lock()
	d.lines.viewed = true
	d.lines.mu.Unlock()
	log := &view.Log{}
	restore := d.Screen.Over(log)
	// Not the context that ends the mappings: it shows how they end.
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.Ctx))
	ended := make(chan struct{})
	var hurry sync.Once
	go func() {
		defer close(ended)
		err := view.Run(ctx, view.Config{
			Source: viewSource{d},
			Actions: view.Actions{
				Pause:  func(name string) error { return d.act(control.Pause, name) },
				Resume: func(name string) error { return d.act(control.Resume, name) },
				Sync:   func(name string) error { return d.act(control.Sync, name) },
				Quit:   d.end.halt,
				Kill:   func() { hurry.Do(func() { close(d.end.hurry) }) },
			},
			Log: log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
		})
		restore()
		if err != nil && ctx.Err() == nil {
			d.Log.Error("no live view: "+err.Error(), "remedy", "'snapsync status --watch' shows the same")
		}
	}()
	return func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(viewTime): // the terminal stands still
		}
	}
}

// act does what a key asks for.
func (d *process) act(command, name string) error {
	_, err := d.Do(d.Ctx, control.Command{Name: command, Mapping: name})
	return err
}

// viewSource is the mappings as the view shows them.
type viewSource struct{ d *process }

// Snapshot implements view.Source.
func (s viewSource) Snapshot() []view.Mapping {
	var all []view.Mapping
	for _, u := range s.d.kept.list() {
		all = append(all, u.shown())
	}
	return all
}

// shown is the mapping as the view shows it.
func (u *supervisor) shown() view.Mapping {
	st, err := u.status()
	if err != nil {
		return view.Unreadable(u.label, u.spec.Src, "", err)
	}
	m := view.Mapping{Status: &st}
	u.mu.Lock()
	activity := u.activity
	u.mu.Unlock()
	if activity == nil { // the loop does not run
		return m
	}
	for _, r := range activity.Lately() {
		msg := text.Past(r.Step) + ": " + text.Path(r.Step.Path)
		if r.Err != nil {
			msg = text.Path(r.Step.Path) + ": " + r.Err.Error()
		}
		m.Recent = append(m.Recent, view.Action{At: r.At, Text: msg, Failed: r.Err != nil})
	}
	return m
}
