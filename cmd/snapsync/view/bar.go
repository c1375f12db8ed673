package view

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// BarConfig is what a Bar needs.
type BarConfig struct {
	Progress func() Progress // called some times a second, by one goroutine at a time; should be quick
	Out      *os.File        // the terminal
	Environ  []string        // as for Config

	width, height int // of something that is no terminal, in tests
}

// Bar keeps the progress of a run on the last lines of a terminal, and writes log lines above them. No key is
// read: Ctrl-C and Ctrl-Z stay signals, and a run in the background is not stopped for wanting a key. The
// cursor stays visible and no mode of the terminal is changed: the process may end at any moment.
type Bar struct {
	program *tea.Program
	width   atomic.Int64  // of the terminal; 0: not known yet
	drawn   chan struct{} // closed when something was drawn
	ended   chan struct{}
	err     error // of the program; to be read after ended
}

const (
	barEvery = 200 * time.Millisecond
	barLines = 1 + transfersShown
)

// StartBar shows a progress until Stop is called.
func StartBar(cfg BarConfig) *Bar {
	b := &Bar{drawn: make(chan struct{}), ended: make(chan struct{})}
	model := &barModel{bar: b, progress: cfg.Progress, theme: themeFor(cfg.Environ)}
	options := []tea.ProgramOption{
		tea.WithInput(nil),
		tea.WithOutput(&firstWrite{File: cfg.Out, done: b.drawn}),
		tea.WithEnvironment(cfg.Environ),
		tea.WithoutSignalHandler(),
		tea.WithFPS(framesPerSecond),
	}
	if cfg.width > 0 {
		options = append(options, tea.WithWindowSize(cfg.width, cfg.height))
	}
	b.program = tea.NewProgram(model, options...)
	go func() {
		defer close(b.ended)
		if _, err := b.program.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) {
			b.err = fmt.Errorf("show progress: %w", err)
		}
	}()
	return b
}

// Stop takes the lines away. Nothing may be written to the Bar any more.
func (b *Bar) Stop() error {
	b.program.Send(barOver{})
	<-b.ended
	return b.err
}

// Write implements io.Writer. One call is one or more whole lines. Those that are longer than the terminal is
// wide are broken here: the library counts the rows of the others wrongly.
func (b *Bar) Write(p []byte) (int, error) {
	select {
	case <-b.drawn: // before, the library would put them anywhere
	case <-b.ended:
	}
	text := strings.TrimSuffix(string(p), "\n")
	if width := int(b.width.Load()); width > 1 {
		text = ansi.Hardwrap(text, width-1, true)
	}
	for line := range strings.SplitSeq(text, "\n") { // more at once could be more than there are rows
		b.program.Println(line)
	}
	return len(p), nil
}

// firstWrite is a file that tells when it was first written to.
type firstWrite struct {
	*os.File
	once sync.Once
	done chan struct{}
}

// Write implements io.Writer.
func (f *firstWrite) Write(p []byte) (int, error) {
	defer f.once.Do(func() { close(f.done) })
	return f.File.Write(p)
}

// barModel is the state of a Bar, which belongs to the library's goroutine.
type barModel struct {
	bar           *Bar
	progress      func() Progress
	now           Progress
	theme         theme
	width, height int
	over          bool
}

type barOver struct{}

// Init implements tea.Model.
func (m *barModel) Init() tea.Cmd { return m.poll }

func (m *barModel) poll() tea.Msg { return m.progress() }

// Update implements tea.Model.
func (m *barModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.bar.width.Store(int64(msg.Width))
	case Progress:
		next := tea.Tick(barEvery, func(time.Time) tea.Msg { return m.poll() })
		if msg.Stopping && !m.now.Stopping {
			next = tea.Batch(next, tea.ClearScreen) // the terminal has written ^C somewhere
		}
		m.now = msg
		return m, next
	case barOver:
		m.over = true
		return m, tea.Quit
	}
	return m, nil
}

// View implements tea.Model.
func (m *barModel) View() tea.View {
	var v tea.View
	v.DisableBracketedPasteMode = true
	v.Cursor = tea.NewCursor(0, 0)
	if lines := m.now.draw(m.width, min(m.height-1, barLines), m.theme); !m.over && len(lines) > 0 {
		v.Content = strings.Join(lines, "\n")
		last := len(lines) - 1
		v.Cursor = tea.NewCursor(min(ansi.StringWidth(lines[last]), m.width-1), last)
	}
	return v
}
