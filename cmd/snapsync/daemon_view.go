package main

import (
	"context"
	"os"
	"sync"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/cmd/snapsync/view"
)

// openView shows the mappings live if there is a terminal for it. What is returned takes the view away
// and leaves the terminal as it was.
func (d *daemonProcess) openView() (end func()) {
	if d.JSON || d.Quiet || !console.IsTerminal(d.Out) || !console.IsTerminal(os.Stdin) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	d.out.Lock()
	d.viewed = true
	d.out.Unlock()
	log := &view.Log{}
	restore := d.screen.Over(log)
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
				Quit:   d.halt,
				Kill:   func() { hurry.Do(func() { close(d.hurry) }) },
			},
			Log: log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
		})
		restore()
		if err != nil && ctx.Err() == nil {
			d.Log.Error("no live view: "+err.Error(), "remedy", "'snapsync status --watch' shows the same")
		}
	}()
	return func() { cancel(); <-ended }
}

// act does what a key asks for.
func (d *daemonProcess) act(command, name string) error {
	_, err := d.Do(d.Ctx, control.Command{Name: command, Mapping: name})
	return err
}

// viewSource is the mappings as the view shows them.
type viewSource struct{ d *daemonProcess }

// Snapshot implements view.Source.
func (s viewSource) Snapshot() []view.Mapping {
	var all []view.Mapping
	for _, u := range s.d.all() {
		all = append(all, u.shown())
	}
	return all
}

// shown is the mapping as the view shows it.
func (u *upkeep) shown() view.Mapping {
	st, err := u.status()
	if err != nil {
		return unreadable(u.label, u.spec.Src, "", err)
	}
	m := shownStatus(&st)
	for _, r := range u.lately() {
		msg := text.Past(r.Step) + ": " + text.Path(r.Step.Path)
		if r.Err != nil {
			msg = text.Path(r.Step.Path) + ": " + r.Err.Error()
		}
		m.Recent = append(m.Recent, view.Action{At: r.At, Text: msg, Failed: r.Err != nil})
	}
	return m
}

// lately are the last steps of the loop, if it runs.
func (u *upkeep) lately() []status.Recent {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.activity == nil {
		return nil
	}
	return u.activity.Lately()
}
