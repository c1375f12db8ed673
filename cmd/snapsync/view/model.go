package view

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// model is the state of the view. The library calls Init, Update and View from one goroutine, and
// commands, which may take their time, from others.
type model struct {
	frame
	cfg           *Config
	theme         theme
	width, height int
	name          string    // of the chosen mapping, which may move in the list; "": all
	noticed       time.Time // when frame.notice was set
	wished        time.Time // when frame.wishes were made last
}

const (
	pollEvery   = 250 * time.Millisecond
	pollCalm    = time.Second // while nothing moves: a view that is left open should cost nothing to speak of
	noticeStays = 6 * time.Second
	wishesStay  = 30 * time.Second
)

func newModel(cfg *Config) *model {
	a := &cfg.Actions
	return &model{cfg: cfg, theme: themeFor(cfg.Environ), frame: frame{
		chosen: -1, now: cfg.Now(), wishes: map[string]bool{},
		looking: a.Pause == nil && a.Resume == nil && a.Sync == nil,
	}}
}

type (
	pollMsg  struct{}
	frameMsg struct { // what was found
		mappings []Mapping
		log      []string
	}
	noticeMsg string // to be shown in the footer
)

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return m.poll }

// poll asks the Source. The next poll begins after the answer to this one.
func (m *model) poll() tea.Msg {
	return frameMsg{m.cfg.Source.Snapshot(), m.cfg.Log.last(logKept)}
}

// pause is the time until the next poll.
func (m *model) pause() time.Duration {
	if m.cfg.Every > 0 {
		return m.cfg.Every
	}
	moves := func(x Mapping) bool {
		return len(x.transfers(m.now)) > 0 || x.State == "scanning" || x.State == "syncing"
	}
	if m.stopping || m.notice != "" || slices.ContainsFunc(m.mappings, moves) {
		return pollEvery
	}
	return pollCalm
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case pollMsg:
		return m, m.poll
	case frameMsg:
		m.take(msg)
		return m, tea.Tick(m.pause(), func(time.Time) tea.Msg { return pollMsg{} })
	case noticeMsg:
		m.notice, m.noticed = string(msg), m.cfg.Now()
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

// take makes what was found the next picture.
func (m *model) take(found frameMsg) {
	m.mappings, m.log, m.now = found.mappings, found.log, m.cfg.Now()
	m.chosen = slices.IndexFunc(m.mappings, func(x Mapping) bool { return m.name != "" && x.Status.Mapping == m.name })
	if m.now.Sub(m.noticed) > noticeStays {
		m.notice = ""
	}
	if m.now.Sub(m.wished) > wishesStay {
		clear(m.wishes)
	}
}

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView(strings.Join(m.draw(m.width, m.height, m.theme), "\n"))
	v.AltScreen = true
	return v
}

func (m *model) key(key string) tea.Cmd {
	m.notice = ""
	switch key {
	case "q", "ctrl+c":
		return m.quit()
	case "?", "h":
		m.help = !m.help
	case "esc":
		m.help, m.name, m.chosen = false, "", -1
	case "up", "k":
		m.choose(m.chosen - 1)
	case "down", "j":
		m.choose(m.chosen + 1)
	case "p":
		if !m.looking {
			return m.togglePause()
		}
	case "s":
		return m.act("looking at everything", m.cfg.Actions.Sync)
	}
	return nil
}

// togglePause pauses the mappings that the keys are for, or resumes them if all are paused already, or were told to be.
func (m *model) togglePause() tea.Cmd {
	pause := !m.allPaused()
	for _, x := range m.targets() {
		m.wishes[x.Status.Mapping] = pause
	}
	m.wished = m.cfg.Now()
	if pause {
		return m.act("paused", m.cfg.Actions.Pause)
	}
	return m.act("resumed", m.cfg.Actions.Resume)
}

// choose moves to the i-th mapping; beyond either end are all of them.
func (m *model) choose(i int) {
	n := len(m.mappings)
	if m.chosen < 0 && i < -1 {
		i = n - 1
	}
	if n < 2 || i < 0 || i >= n {
		m.chosen, m.name = -1, ""
		return
	}
	m.chosen, m.name = i, m.mappings[i].Status.Mapping
}

// act does something to the chosen mapping and says how it went.
func (m *model) act(done string, action func(string) error) tea.Cmd {
	if action == nil {
		return nil
	}
	name := m.name
	return func() tea.Msg {
		if err := action(name); err != nil {
			return noticeMsg(err.Error())
		}
		if name != "" {
			return noticeMsg(name + ": " + done)
		}
		return noticeMsg(done)
	}
}

// quit asks for an end the first time and leaves the second time, whatever Kill does.
func (m *model) quit() tea.Cmd {
	call, then := m.cfg.Actions.Quit, tea.Cmd(nil)
	switch {
	case m.stopping:
		call, then = m.cfg.Actions.Kill, tea.Quit
	case call == nil:
		return tea.Quit
	}
	m.stopping = true
	return tea.Batch(then, func() tea.Msg {
		if call != nil {
			call()
		}
		return nil
	})
}
