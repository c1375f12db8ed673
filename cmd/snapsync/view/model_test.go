package view

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// source is a Source that stands still.
type source []Mapping

func (s source) Snapshot() []Mapping { return slices.Clone(s) }

// press types a key and runs what comes of it, as the library would.
func press(t *testing.T, m *model, key string) {
	t.Helper()
	codes := map[string]tea.KeyPressMsg{
		"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "esc": {Code: tea.KeyEscape}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl},
	}
	msg, ok := codes[key]
	if !ok {
		msg = tea.KeyPressMsg{Code: rune(key[0]), Text: key}
	}
	if msg.String() != key {
		t.Fatalf("key %q is %q", key, msg.String())
	}
	_, cmd := m.Update(msg)
	settle(m, cmd)
}

// settle runs a command, and those in it, and gives the model what they say. It leaves the clock alone.
func settle(m *model, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			settle(m, c)
		}
	case noticeMsg:
		m.Update(msg)
	case tea.QuitMsg:
		m.Update(quitSeen{})
	}
}

type quitSeen struct{}

// calls records what the keys do.
type calls struct {
	mu  sync.Mutex
	all []string
}

func (c *calls) add(what string) { c.mu.Lock(); defer c.mu.Unlock(); c.all = append(c.all, what) }

func (c *calls) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := strings.Join(c.all, " ")
	c.all = nil
	return all
}

func (c *calls) actions() Actions {
	named := func(what string) func(string) error {
		return func(name string) error { c.add(what + "(" + name + ")"); return nil }
	}
	return Actions{Pause: named("pause"), Resume: named("resume"), Sync: named("sync"),
		Quit: func() { c.add("quit") }, Kill: func() { c.add("kill") }}
}

func newTestModel(c *calls, mappings []Mapping) *model {
	m := newModel(&Config{Source: source(mappings), Actions: c.actions(), Log: &Log{}, Now: func() time.Time { return noon }})
	m.Update(m.poll())
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	return m
}

func TestKeys(t *testing.T) {
	c := &calls{}
	m := newTestModel(c, busy().mappings)
	for _, step := range []struct{ keys, want string }{
		{"s", "sync()"},
		{"p", "pause()"},
		{"down s", "sync(work)"},
		{"down p", "resume(photos)"}, // as all were told to pause
		{"k k s", "sync()"},          // above the first are all
		{"up s", "sync(mail)"},
		{"j s", "sync()"},
		{"down down esc s", "sync()"},
		{"? ?", ""},
		{"x", ""},
		{"q", "quit"},
		{"ctrl+c", "kill"},
	} {
		for _, key := range strings.Fields(step.keys) {
			press(t, m, key)
		}
		if got := c.take(); got != step.want {
			t.Errorf("%s: %q, want %q", step.keys, got, step.want)
		}
	}
}

func TestPauseKeyResumesWhatIsPaused(t *testing.T) {
	c := &calls{}
	mappings := busy().mappings
	mappings[1].State = "paused"
	m := newTestModel(c, mappings)
	press(t, m, "p") // not all are
	press(t, m, "down")
	press(t, m, "down")
	press(t, m, "p")
	if got := c.take(); got != "pause() resume(photos)" {
		t.Errorf("got %q", got)
	}
}

// Pausing may wait for what is under way: a second p takes it back all the same.
func TestPauseKeyTogglesBeforeItTookEffect(t *testing.T) {
	c := &calls{}
	m := newTestModel(c, busy().mappings)
	for range 3 {
		press(t, m, "p")
		m.Update(frameMsg{mappings: busy().mappings}) // nothing is paused yet
	}
	if got := c.take(); got != "pause() resume() pause()" {
		t.Errorf("got %q", got)
	}
	m.cfg.Now = func() time.Time { return noon.Add(2 * wishesStay) }
	m.Update(frameMsg{mappings: busy().mappings})
	press(t, m, "p") // whoever resumed it meanwhile
	if got := c.take(); got != "pause()" {
		t.Errorf("later: %q", got)
	}
}

// The choice stays with a mapping when others come and go, and ends with it.
func TestChoiceFollowsItsMapping(t *testing.T) {
	m := newTestModel(&calls{}, busy().mappings)
	press(t, m, "down")
	press(t, m, "down")
	m.Update(frameMsg{mappings: busy().mappings[1:]})
	if got := m.target(); got == nil || got.Status.Mapping != "photos" {
		t.Errorf("chosen: %v", got)
	}
	m.Update(frameMsg{mappings: busy().mappings[:1]})
	if m.target() != nil {
		t.Error("what is gone is still chosen")
	}
}

func TestErrorOfAnActionIsShown(t *testing.T) {
	m := newTestModel(&calls{}, busy().mappings)
	m.cfg.Actions.Sync = func(string) error { return errors.New("the journal is full") }
	press(t, m, "s")
	if lines := m.draw(80, 24, plain); !strings.Contains(lines[23], "the journal is full") {
		t.Errorf("footer: %q", lines[23])
	}
}

// Run in a program of its own: keys arrive, frames leave, the log is repeated, the context ends it.
func TestRun(t *testing.T) {
	keys, hand := io.Pipe()
	out := &output{}
	c := &calls{}
	log := &Log{}
	io.WriteString(log, "an old line\n")
	ctx, done := context.WithCancel(t.Context())
	cfg := Config{Source: source(busy().mappings), Actions: c.actions(), Log: log, In: keys, Out: out,
		Environ: []string{"TERM=xterm-256color", "NO_COLOR=1"}, width: 80, height: 24}
	ended := make(chan error)
	go func() { ended <- Run(ctx, cfg) }()
	out.wait(t, "photos")
	io.WriteString(hand, "s")
	out.wait(t, "looking at everything")
	io.WriteString(hand, "q")
	out.wait(t, "is being finished")
	if got := c.take(); got != "sync() quit" {
		t.Errorf("calls: %q", got)
	}
	select {
	case err := <-ended:
		t.Fatalf("ended before what is under way: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	out.reset()
	done()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "an old line\n") {
		t.Errorf("the log is not repeated: %q", out.String())
	}
	hand.Close()
}

// A view that only looks ends at the first key, and steers nothing.
func TestRunLooking(t *testing.T) {
	for _, key := range []string{"q", "\x03"} {
		keys, hand := io.Pipe()
		out := &output{}
		ended := make(chan error)
		go func() {
			ended <- Run(t.Context(), Config{Source: source(busy().mappings), Every: time.Hour, In: keys, Out: out,
				Environ: []string{"TERM=xterm"}, width: 80, height: 24})
		}()
		out.wait(t, "q or Ctrl-C ends it")
		io.WriteString(hand, "ps"+key)
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q: still there", key)
		}
		if strings.Contains(out.String(), "stopping") {
			t.Errorf("%q: it says that something stops", key)
		}
		hand.Close()
	}
}

// A second q leaves although nothing that it asked for ever ends.
func TestRunLeavesAtTheSecondKey(t *testing.T) {
	keys, hand := io.Pipe()
	defer hand.Close()
	out := &output{}
	forever := make(chan struct{})
	defer close(forever)
	hang := func() { <-forever }
	ended := make(chan error)
	go func() {
		ended <- Run(t.Context(), Config{Source: source(nil), Actions: Actions{Quit: hang, Kill: hang}, In: keys, Out: out,
			Environ: []string{"TERM=xterm"}, width: 80, height: 24})
	}()
	out.wait(t, "no mappings")
	io.WriteString(hand, "q")
	out.wait(t, "is being finished")
	io.WriteString(hand, "\x03") // Ctrl-C
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still there")
	}
}

// output is a terminal that remembers all.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }

func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

func (o *output) reset() { o.mu.Lock(); defer o.mu.Unlock(); o.b.Reset() }

func (o *output) wait(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(o.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q never shown: %q", text, o.String())
}

func TestLogKeepsTheLastLines(t *testing.T) {
	log := &Log{}
	for range logKept {
		io.WriteString(log, "old\n")
	}
	io.WriteString(log, "two\nlines with \x1b[31mcolour\n")
	lines := log.last(2)
	if want := []string{"two", "lines with \uFFFD[31mcolour"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	if n := len(log.last(logKept * 2)); n != logKept {
		t.Errorf("%d lines kept", n)
	}
}

func TestCalmViewsPollLess(t *testing.T) {
	m := newTestModel(&calls{}, busy().mappings)
	if got := m.pause(); got != pollEvery {
		t.Errorf("with transfers: %v", got)
	}
	m.Update(frameMsg{mappings: alone().mappings})
	if got := m.pause(); got != pollCalm {
		t.Errorf("idle: %v", got)
	}
	press(t, m, "s")
	if got := m.pause(); got != pollEvery {
		t.Errorf("after a key: %v", got)
	}
}

// Colours are the terminal's to allow, and NO_COLOR's to forbid.
func TestNoColor(t *testing.T) {
	colours := regexp.MustCompile(`\x1b\[[0-9;]*3[1-7]m`)
	shown := func(env ...string) string {
		ctx, done := context.WithCancel(t.Context())
		keys, hand := io.Pipe()
		defer hand.Close()
		out := &output{}
		ended := make(chan error)
		go func() {
			ended <- Run(ctx, Config{Source: source(busy().mappings), In: keys, Out: out, Environ: env, width: 80, height: 24})
		}()
		out.wait(t, "photos")
		done()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	terminal := []string{"TERM=xterm-256color", "CLICOLOR_FORCE=1"} // as a terminal, which the output is not
	if !colours.MatchString(shown(terminal...)) {
		t.Error("no colours on a terminal")
	}
	if got := shown(append(terminal, "NO_COLOR=yes")...); colours.MatchString(got) {
		t.Errorf("colours in spite of NO_COLOR: %q", got)
	}
}
