package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type doctorCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping to check. Default: all of them."`
	settings.Selection
}

// Help is the long text of `doctor --help`.
func (*doctorCmd) Help() string {
	return `It checks, without changing anything: the program and rclone's configuration; the state directory, its
rights and the space on its disk; for each mapping every invariant of its journal, who has its lock, its
source, how far a running 'snapsync run' can watch it, and whether its remote answers.

Exit status: 0 if all is well, 1 if something is not; if the state of a mapping cannot be read, the status that
a run of it ends with.

Examples:

    snapsync doctor
    snapsync doctor -m work
    snapsync doctor ~/work --remote mys3:bucket/work`
}

// Run implements the command.
func (c *doctorCmd) Run(w *world) error {
	d := &diagnosis{app: w, status: exit.StatusError}
	d.ok("program", "%s with rclone %s and %d backends", versionLine(), rclone.Version(), len(rclone.Names()))
	if err := w.StartRclone(); err != nil {
		d.add("rclone", err)
	} else {
		d.ok("rclone", "configuration can be read")
	}
	if err := d.config(); err != nil {
		return err
	}
	d.stateDir()
	found, err := w.Candidates(&c.Selection, c.Src)
	if err != nil {
		d.add("mappings", err)
	}
	for _, m := range found {
		if c.Remote != "" {
			m.Remote = c.Remote
		}
		d.mapping(m)
	}
	if err == nil && len(found) == 0 && c.Remote != "" {
		d.untried(c.Src+c.Source, c.Remote)
	}
	if d.failed > 0 {
		return &exit.Failure{Status: d.status, Err: fmt.Errorf("%s found", text.Counted(int64(d.failed), "problem"))}
	}
	return nil
}

// diagnosis prints findings as they are made.
type diagnosis struct {
	app    *world
	failed int
	status int // to exit with
}

// finding is one line of `doctor --json`.
type finding struct {
	Type    string `json:"type"`
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	Text    string `json:"text"`
}

func (d *diagnosis) ok(subject, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	_ = d.app.Say(finding{"finding", subject, true, msg}, "ok       %-9s %s", subject, msg)
}

// add reports err as a problem; nil is none.
func (d *diagnosis) add(subject string, err error) {
	if err == nil {
		return
	}
	d.failed++
	msg := err.Error()
	if hint := exit.Of(err).Hint; hint != "" {
		msg += " (" + hint + ")"
	}
	_ = d.app.Row(finding{"finding", subject, false, msg}, "PROBLEM  %-9s %s", subject, msg)
}

// config looks at the config file. Without it nothing else is certain, as it may move the state.
func (d *diagnosis) config() error {
	path := d.app.ConfigPath()
	file, err := d.app.ConfigFile()
	if errors.Is(err, os.ErrNotExist) {
		d.ok("config", "%s does not exist: mappings are given by flags", text.Path(path))
		return nil
	}
	if err != nil {
		return err
	}
	d.ok("config", "%s, %s; 'snapsync config check' looks closer", text.Path(path), text.Counted(int64(len(file.Mappings)), "mapping"))
	return nil
}

func (d *diagnosis) stateDir() {
	states, err := d.app.States()
	if err != nil {
		d.add("state", err)
		return
	}
	info, err := os.Stat(states.Root)
	if errors.Is(err, os.ErrNotExist) {
		d.ok("state", "%s does not exist yet", text.Path(states.Root))
		return
	}
	if err != nil {
		d.add("state", err)
		return
	}
	if openToOthers(info) {
		d.add("state", fmt.Errorf("%s is open to other users (mode %04o): chmod 700 it", text.Path(states.Root), info.Mode().Perm()))
	}
	d.space(states.Root)
}

// lowSpace is what a journal may want for a checkpoint of a large run.
const lowSpace = 100 << 20

func (d *diagnosis) space(root string) {
	free, err := mapping.FreeSpace(root)
	switch {
	case err != nil:
		d.add("state", fmt.Errorf("free space of %s: %w", text.Path(root), err))
	case free < lowSpace:
		d.add("state", fmt.Errorf("%s has only %s left on its disk", text.Path(root), humanize.IBytes(free)))
	default:
		d.ok("state", "%s, %s free", text.Path(root), humanize.IBytes(free))
	}
}

func (d *diagnosis) mapping(m *mapping.Mapping) {
	if m.Err != nil {
		d.add("mapping", m.Err)
		d.status = exit.Of(m.Err).Status
		return
	}
	d.ok("mapping", "%s, state in %s", m, text.Path(m.Dir))
	if h, taken := mapping.HolderOf(m.Dir); taken {
		d.ok("lock", "process %d has it since %s", h.PID, text.Ago(h.Since, time.Now()))
	}
	d.source(m.Source)
	d.watch(m)
	d.journal(m)
	d.remote(m)
}

// untried looks at the source, if one is named, and the remote of a mapping that was never run.
func (d *diagnosis) untried(source, remote string) {
	if source != "" {
		d.source(source)
	}
	m, err := mapping.Store{}.At(source, remote)
	if err != nil {
		d.add("remote", err)
		return
	}
	d.ok("mapping", "none has this remote: it was never run")
	d.remote(m)
}

func (d *diagnosis) source(path string) {
	if _, err := mapping.FindSource(path); err != nil {
		d.add("source", err)
	} else {
		d.ok("source", "%s is there", text.Path(path))
	}
}

// watch asks the process that keeps the mapping true, if there is one, how far it can watch the source.
func (d *diagnosis) watch(m *mapping.Mapping) {
	states, err := d.app.States()
	if err != nil {
		return // stateDir says it
	}
	live, silent := steer.Live(d.app.Ctx, states, []*mapping.Mapping{m}, d.app.Log)
	if silent[m.ID] {
		d.add("process", control.ErrSilent)
	}
	st := live[m.ID]
	if st == nil || st.Live == nil {
		return
	}
	w := &st.Live.Watch
	for _, problem := range w.Problems {
		d.add("watch", errors.New(problem))
	}
	if len(w.Problems) == 0 {
		d.ok("watch", "%s", status.Watching(w))
	}
}

func (d *diagnosis) journal(m *mapping.Mapping) {
	s, err := m.Read()
	if err != nil {
		d.add("journal", err)
		return
	}
	defer s.Close()
	violations, err := s.Journal.Check(d.app.Ctx)
	d.add("journal", err)
	for _, v := range violations {
		d.add("journal", errors.New(v))
	}
	if err == nil && len(violations) == 0 {
		d.ok("journal", "every invariant holds")
	}
}

func (d *diagnosis) remote(m *mapping.Mapping) {
	config, err := d.app.RemoteConfig(m, &settings.SyncFlags{}, "")
	if err != nil {
		d.add("remote", err)
		return
	}
	begun := time.Now()
	conn, err := backends.Open(d.app.Ctx, config)
	if err == nil {
		err = errors.Join(conn.Probe(d.app.Ctx), conn.Close())
	}
	if err != nil {
		d.add("remote", err)
		return
	}
	d.ok("remote", "%s answers (%s)", m.Display, time.Since(begun).Round(time.Millisecond))
}
