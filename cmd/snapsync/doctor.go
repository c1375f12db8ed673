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
)

type doctorCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping to check. Default: all of them."`
	selection
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
func (c *doctorCmd) Run(a *app) error {
	d := &diagnosis{app: a, status: exit.StatusError}
	d.program()
	if err := d.config(); err != nil {
		return err
	}
	d.stateDir()
	found, err := a.candidates(&c.selection, c.Src)
	if err != nil {
		d.add("mappings", err)
	}
	for _, m := range found {
		if c.Remote != "" {
			m.open = c.Remote
		}
		d.mapping(m)
	}
	if d.failed > 0 {
		return &exit.Failure{Status: d.status, Err: fmt.Errorf("%s found", counted(int64(d.failed), "problem"))}
	}
	return nil
}

// diagnosis prints findings as they are made.
type diagnosis struct {
	app    *app
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
	d.print(finding{"finding", subject, true, fmt.Sprintf(format, args...)})
}

// add reports err as a problem; nil is none.
func (d *diagnosis) add(subject string, err error) {
	if err == nil {
		return
	}
	d.failed++
	text := err.Error()
	if hint := exit.Of(err).Hint; hint != "" {
		text += " (" + hint + ")"
	}
	d.print(finding{"finding", subject, false, text})
}

func (d *diagnosis) print(f finding) {
	switch {
	case d.app.JSON:
		writeJSON(d.app.stdout, f)
	case f.OK && !d.app.Quiet:
		fmt.Fprintf(d.app.stdout, "ok       %-9s %s\n", f.Subject, f.Text)
	case !f.OK:
		fmt.Fprintf(d.app.stdout, "PROBLEM  %-9s %s\n", f.Subject, f.Text)
	}
}

func (d *diagnosis) program() {
	d.ok("program", "%s with rclone %s and %d backends", versionLine(), rclone.Version(), len(rclone.Names()))
	if err := d.app.startRclone(); err != nil {
		d.add("rclone", err)
		return
	}
	d.ok("rclone", "configuration can be read")
}

// config looks at the config file. Without it nothing else is certain, as it may move the state.
func (d *diagnosis) config() error {
	path := d.app.configPath()
	file, err := d.app.configFile()
	if errors.Is(err, os.ErrNotExist) {
		d.ok("config", "%s does not exist: mappings are given by flags", show(path))
		return nil
	}
	if err != nil {
		return err
	}
	d.ok("config", "%s, %s; 'snapsync config check' looks closer", show(path), counted(int64(len(file.Mappings)), "mapping"))
	return nil
}

func (d *diagnosis) stateDir() {
	root, err := d.app.stateRoot()
	if err != nil {
		d.add("state", err)
		return
	}
	info, err := os.Stat(root)
	if errors.Is(err, os.ErrNotExist) {
		d.ok("state", "%s does not exist yet", show(root))
		return
	}
	if err != nil {
		d.add("state", err)
		return
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && onUnix {
		d.add("state", fmt.Errorf("%s is open to other users (mode %04o): chmod 700 it", show(root), info.Mode().Perm()))
	}
	d.space(root)
}

// lowSpace is what a journal may want for a checkpoint of a large run.
const lowSpace = 100 << 20

func (d *diagnosis) space(root string) {
	free, err := freeSpace(root)
	switch {
	case err != nil:
		d.add("state", fmt.Errorf("free space of %s: %w", show(root), err))
	case free < lowSpace:
		d.add("state", fmt.Errorf("%s has only %s left on its disk", show(root), humanize.IBytes(free)))
	default:
		d.ok("state", "%s, %s free", show(root), humanize.IBytes(free))
	}
}

func (d *diagnosis) mapping(m *mapping) {
	if m.err != nil {
		d.add("mapping", m.err)
		d.status = exit.Of(m.err).Status
		return
	}
	d.ok("mapping", "%s, state in %s", m, show(m.dir))
	if h, taken := lockHolder(m.dir); taken {
		d.ok("lock", "process %d has it since %s", h.pid, ago(h.since, time.Now()))
	}
	if _, err := findSource(m.source); err != nil {
		d.add("source", err)
	} else {
		d.ok("source", "%s is there", show(m.source))
	}
	d.watch(m)
	d.journal(m)
	d.remote(m)
}

// watch asks the process that keeps the mapping true, if there is one, how far it can watch the source.
func (d *diagnosis) watch(m *mapping) {
	live, silent := d.app.liveStatus([]*mapping{m})
	if silent[m.name] {
		d.add("process", control.ErrSilent)
	}
	st := live[m.name]
	if st == nil || st.Live == nil {
		return
	}
	w := &st.Live.Watch
	for _, problem := range w.Problems {
		d.add("watch", errors.New(problem))
	}
	if len(w.Problems) == 0 {
		d.ok("watch", "%s", watchText(w))
	}
}

func (d *diagnosis) journal(m *mapping) {
	s, err := d.app.read(m)
	if err != nil {
		d.add("journal", err)
		return
	}
	defer s.close()
	violations, err := s.journal.Check(d.app.ctx)
	d.add("journal", err)
	for _, v := range violations {
		d.add("journal", errors.New(v))
	}
	if err == nil && len(violations) == 0 {
		d.ok("journal", "every invariant holds")
	}
}

func (d *diagnosis) remote(m *mapping) {
	config, err := d.app.remoteConfig(m, &syncFlags{}, "")
	if err != nil {
		d.add("remote", err)
		return
	}
	begun := time.Now()
	conn, err := backends.Open(d.app.ctx, config)
	if err == nil {
		err = errors.Join(conn.Probe(d.app.ctx), conn.Close())
	}
	if err != nil {
		d.add("remote", err)
		return
	}
	d.ok("remote", "%s answers (%s)", m.display, time.Since(begun).Round(time.Millisecond))
}
