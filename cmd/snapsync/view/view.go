// Package view shows on a terminal how a running snapsync stands: each mapping with its state, since
// when, why, and how far behind it is; the transfers in flight; what was done lately; the log.
//
// Package view knows no journal and no control socket. What is shown a Source is asked for, four times
// a second, or once while nothing moves; what a person wants is handed to Actions. Whoever runs the
// mappings wires it like this:
//
//	log := &view.Log{}
//	restore := screen.Over(log)                   log lines go into the view
//	ctx, done := context.WithCancel(…)            not the one that stops the mappings
//	go func() { <-everything drained; done() }()
//	err := view.Run(ctx, view.Config{
//		Source:  source,                          Snapshot() []view.Mapping
//		Actions: view.Actions{Pause: …, Resume: …, Sync: …, Quit: stop, Kill: cancel},
//		Log: log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
//	})
//	restore()                                     log lines go to stderr again
//
// Run takes the whole screen, and Ctrl-C with it: in the meantime it is a key like q. It gives the
// terminal back as it was, and then repeats the last lines of the log, which would be lost with the
// screen. SIGTERM and the like stay with the caller, who ends ctx when all is done.
//
// Without Actions that steer, the same view only looks: `status --watch`. A Bar is for a run that ends by itself:
// it has the last lines of the screen instead of all of it, and no keys.
//
// What it guarantees: a frame is never larger than the terminal, whatever names, numbers and errors it
// shows; no control sequence in any of them reaches the terminal; a Source or an action that hangs
// leaves the keys alive. Colours follow the terminal, NO_COLOR included. What it leaves to others:
// whether there is a terminal at all, and TERM=dumb, where plain lines do better.
package view

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// Source tells how all mappings stand, in the order in which they are shown.
type Source interface {
	// Snapshot returns a copy that nobody changes any more. It is called up to four times a second, by
	// one goroutine at a time, and should be quick.
	Snapshot() []Mapping
}

// Mapping is how one mapping stands, and what was done lately. Strings may hold anything that a file name can.
type Mapping struct {
	*status.Status
	Recent []Action // oldest first
}

// Transfer is an upload in flight.
type Transfer struct {
	Path       string
	Done, Size int64   // bytes
	Rate       float64 // bytes per second
}

// Action is something that was done.
type Action struct {
	At     time.Time
	Text   string // as in "sent photos/a.jpg (3.1 MiB)"
	Failed bool
}

// Actions are what keys do. They run in a goroutine of their own; an error is shown. Without any of Pause,
// Resume and Sync the view only looks, and q and Ctrl-C end it at once if there is no Quit either.
type Actions struct {
	// Pause, Resume and Sync get the name of a mapping, or "" for all.
	Pause, Resume, Sync func(mapping string) error
	// Quit begins to stop: what is under way ends, and then the context of Run. Called once at most.
	Quit func()
	// Kill is for a second q: stop at once. Run returns in any case.
	Kill func()
}

// Config is what Run needs.
type Config struct {
	Source  Source // required
	Actions Actions
	Log     *Log      // nil: none is shown
	In      io.Reader // the terminal's keys
	Out     io.Writer // the terminal
	Environ []string  // NAME=VALUE: TERM, NO_COLOR and what else tells about the terminal

	Every time.Duration    // between two questions to the Source; 0: as quickly as something moves
	Now   func() time.Time // nil: time.Now

	width, height int // of something that is no terminal, in tests
}

// Run shows the view until ctx is done or a person insists on leaving.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = &Log{}
	}
	options := []tea.ProgramOption{
		tea.WithInput(cfg.In),
		tea.WithOutput(cfg.Out),
		tea.WithEnvironment(cfg.Environ),
		tea.WithoutSignalHandler(), // they mean the whole process
		tea.WithFPS(framesPerSecond),
	}
	if cfg.width > 0 {
		options = append(options, tea.WithWindowSize(cfg.width, cfg.height))
	}
	program := tea.NewProgram(newModel(&cfg), options...)
	stop := context.AfterFunc(ctx, program.Quit) // a cancelled program would skip its last frame
	defer stop()
	if _, err := program.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		return fmt.Errorf("show live view: %w", err)
	}
	for _, line := range cfg.Log.last(logRepeated) { // which the person may have missed
		if _, err := fmt.Fprintln(cfg.Out, line); err != nil {
			return err
		}
	}
	return nil
}

const (
	logRepeated     = 20 // lines of the log, after the view
	framesPerSecond = 10 // bounds what drawing costs, and how late the answer to a key may be
)
