package main

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// serviceStatus is what `service status` shows.
type serviceStatus struct {
	Type       string  `json:"type"` // "service"
	Installed  bool    `json:"installed"`
	Enabled    bool    `json:"enabled"` // starts by itself
	State      string  `json:"state"`   // running, starting, stopping, stopped, failed, unknown
	Text       string  `json:"text,omitempty"`
	Since      *string `json:"since"`
	PID        int     `json:"pid,omitempty"`
	Restarts   int     `json:"restarts,omitempty"` // after failures
	Definition string  `json:"definition,omitempty"`
	Log        string  `json:"log,omitempty"`
	Linger     *bool   `json:"linger,omitempty"` // a user's service under systemd runs without a session

	since time.Time
	more  string // the command that shows what the log does not have
}

// Run implements the command.
func (c *serviceStatusCmd) Run(a *app) error {
	m, err := a.newServiceManager(c.scopeFlags)
	if err != nil {
		return err
	}
	st, err := m.status()
	if err != nil {
		return err
	}
	st.Type = "service"
	if a.JSON {
		return text.WriteJSON(a.stdout, st)
	}
	if !st.Installed {
		a.tell("not installed: 'snapsync service install' does that")
		return nil
	}
	return st.write(a, time.Now())
}

// write prints rows for people.
func (st *serviceStatus) write(a *app, now time.Time) error {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(a.stdout, "%-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	state := st.State
	if st.PID != 0 {
		state += fmt.Sprintf(", process %d", st.PID)
	}
	if !st.since.IsZero() {
		state += ", since " + text.Ago(st.since, now)
	}
	row("state", "%s", state)
	if st.Text != "" {
		row("", "%s", st.Text)
	}
	if st.Restarts > 0 {
		row("restarts", "%d, after failures: the log or '%s' tells why", st.Restarts, st.more)
	}
	switch {
	case !st.Enabled:
		row("starts", "only by hand: 'snapsync service install' has it start by itself")
	case st.Linger == nil:
		row("starts", "with the machine")
	case *st.Linger:
		row("starts", "with the machine, as you linger")
	default:
		row("starts", "with your session, and stops with it; 'loginctl enable-linger' keeps it running")
	}
	row("definition", "%s", text.Path(st.Definition))
	if st.Log != "" {
		row("log", "%s", text.Path(st.Log))
	}
	row("mappings", "'snapsync status' shows them")
	return nil
}
