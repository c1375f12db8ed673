package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/service"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// serviceCmd makes the service manager of the system run `snapsync run` for all mappings of the
// config file.
type serviceCmd struct {
	Install   serviceInstallCmd   `cmd:"" help:"Have snapsync started with your session, or with the machine."`
	Uninstall serviceUninstallCmd `cmd:"" help:"Stop it and undo install. State, configuration and log stay."`
	Start     serviceStartCmd     `cmd:"" help:"Start it now."`
	Stop      serviceStopCmd      `cmd:"" help:"Stop it until start, or until the next login or boot."`
	Status    serviceStatusCmd    `cmd:"" help:"Show whether it is installed, started and alive."`
}

// Help is the long text of `service --help`.
func (*serviceCmd) Help() string {
	return `The service runs 'snapsync run': all mappings of the config file, for as long as you are logged in, or with
--system for as long as the machine runs. It is systemd's on Linux, launchd's on macOS, and a Windows service
there, which nobody has tested yet. Its log is snapsync.log in the state directory and rotates.

Examples:

    snapsync service install --print     # look at what would be written
    snapsync service install
    snapsync service start
    snapsync service status
    loginctl enable-linger               # Linux: keep it running when you log out

    sudo snapsync service install --system`
}

// scopeFlags choose between the two services that a machine may have.
type scopeFlags struct {
	System bool `group:"which" help:"The service of the machine, which starts at boot and needs root. Default: yours."`
}

type serviceInstallCmd struct {
	scopeFlags
	RunAs string `group:"which" placeholder:"USER" help:"With --system: whom it runs as. Default: who calls, before sudo."`
	Print bool   `group:"output" aliases:"dry-run" short:"n" help:"Only print the definition that would be written."`
}

// Help is the long text of `service install --help`.
func (*serviceInstallCmd) Help() string {
	return `Global flags that are given here, such as --state-dir, --config or -v, become part of the service, and so do
XDG_CONFIG_HOME, XDG_STATE_HOME and RCLONE_CONFIG where they are set. Running it again writes it anew. On Linux, variables
that the service needs besides, such as RCLONE_CONFIG_PASS, go into a file 'environment' beside the config file,
with --system into /etc/snapsync/environment.`
}

type (
	serviceUninstallCmd struct{ scopeFlags }
	serviceStartCmd     struct{ scopeFlags }
	serviceStopCmd      struct{ scopeFlags }
	serviceStatusCmd    struct{ scopeFlags }
)

// Run implements the command.
func (c *serviceInstallCmd) Run(w *world) error {
	m, err := service.New(c.System)
	if err != nil {
		return err
	}
	j, err := newJob(w, c)
	if err != nil {
		return err
	}
	if c.Print {
		text, err := m.Text(j)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(w.Out, text)
		return err
	}
	if err := c.check(w, j); err != nil {
		return err
	}
	done, err := m.Install(w.Ctx, j)
	if err != nil {
		return err
	}
	c.explain(w, j, done)
	return nil
}

// check refuses to install what could not run, or would have nothing to do.
func (c *serviceInstallCmd) check(w *world, j *service.Job) error {
	if c.System && runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return exit.Usage("call it with sudo, or leave --system out", "a service of the machine needs root")
	}
	if err := haveMappings(w, j); err != nil {
		return err
	}
	if j.Passing() {
		return exit.Usage("install it first: go install ./cmd/snapsync", "%s is gone when this command ends", text.Path(j.Program))
	}
	if runtime.GOOS == "windows" && !j.Own() {
		return exit.Usage("leave it out: on Windows the service runs as the system's own account", "--run-as %s", j.User.Username)
	}
	return nil
}

// explain says what was done and how to go on.
func (c *serviceInstallCmd) explain(w *world, j *service.Job, done *service.Installed) {
	when := "your session"
	if c.System {
		when = "the machine"
	}
	switch {
	case done.Definition == "":
		tell(w, "installed the service %s, which nobody has tested on Windows yet: please report how it does", service.Name)
	case done.Changed:
		tell(w, "wrote %s", text.Path(done.Definition))
	default:
		tell(w, "%s is up to date", text.Path(done.Definition))
	}
	if done.Definition != "" {
		tell(w, "it runs as %s, and starts with %s", j.User.Username, when)
	}
	switch {
	case done.Absent != "":
		tell(w, "%s", done.Absent)
	case done.Outdated && done.Restart != "":
		tell(w, "it still runs as it was installed before; restart it: %s", done.Restart)
	case done.Outdated:
		tell(w, "it still runs as it was installed before: snapsync service stop%s, then start it again", c.scope())
	}
	commands := c.commands(j, done)
	width := 0
	for _, row := range commands {
		width = max(width, len(row[0]))
	}
	for _, row := range commands {
		tell(w, "%-*s  %s", width, row[0], row[1])
	}
	if done.EndsAtLogout {
		tell(w, "it stops when you log out; this keeps it running: loginctl enable-linger %s", text.ShellWord(j.User.Username))
	}
}

// commands are what a person may want next, each with what it is for.
func (c *serviceInstallCmd) commands(j *service.Job, done *service.Installed) (rows [][2]string) {
	if done.Absent == "" && (!done.Outdated || done.Restart == "") {
		label := "start it:"
		if runtime.GOOS == "darwin" {
			label = "start it now:" // with the next session it starts by itself
		}
		rows = append(rows, [2]string{label, "snapsync service start" + c.scope()})
	}
	if done.Definition != "" {
		rows = append(rows, [2]string{"look at it:", "snapsync service status" + c.scope() + ", snapsync status"})
	}
	rows = append(rows, [2]string{"its log:", text.Path(j.Log)})
	if done.Edit != "" {
		rows = append(rows, [2]string{"change it:", done.Edit})
	}
	return rows
}

// scope is the flag that other commands need to mean the same service.
func (f scopeFlags) scope() string {
	if f.System && runtime.GOOS != "windows" {
		return " --system"
	}
	return ""
}

// Run implements the command.
func (c *serviceUninstallCmd) Run(w *world) error {
	m, err := service.New(c.System)
	if err != nil {
		return err
	}
	done, err := m.Uninstall(w.Ctx)
	if err != nil {
		return err
	}
	what := ""
	if done.Definition != "" {
		what = " " + text.Path(done.Definition)
	}
	switch {
	case done.Found:
		tell(w, "removed%s; configuration, state and log are as they were", what)
	case what != "":
		tell(w, "not installed: there is no%s", what)
	default:
		tell(w, "not installed")
	}
	return nil
}

// Run implements the command.
func (c *serviceStartCmd) Run(w *world) error {
	m, err := service.New(c.System)
	if err != nil {
		return err
	}
	if err := m.Start(w.Ctx); err != nil {
		return err
	}
	tell(w, "started; 'snapsync status' shows how the mappings stand")
	return nil
}

// Run implements the command.
func (c *serviceStopCmd) Run(w *world) error {
	m, err := service.New(c.System)
	if err != nil {
		return err
	}
	if err := m.Stop(w.Ctx); err != nil {
		return err
	}
	tell(w, "stopped; what was under way is finished or recorded")
	return nil
}

// Run implements the command.
func (c *serviceStatusCmd) Run(w *world) error {
	m, err := service.New(c.System)
	if err != nil {
		return err
	}
	st, err := m.Status(w.Ctx)
	if err != nil {
		return err
	}
	switch {
	case w.JSON:
		return text.WriteJSON(w.Out, struct {
			Type string `json:"type"`
			*service.Status
		}{"service", st})
	case !st.Installed:
		tell(w, "not installed: 'snapsync service install' does that")
	default:
		writeServiceStatus(w, st, time.Now())
	}
	return nil
}

// writeServiceStatus prints rows for people.
func writeServiceStatus(w *world, st *service.Status, now time.Time) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w.Out, "%-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	state := st.State
	if st.PID != 0 {
		state += fmt.Sprintf(", process %d", st.PID)
	}
	if st.Since != nil {
		state += ", since " + text.Ago(*st.Since, now)
	}
	row("state", "%s", state)
	if st.Text != "" {
		row("", "%s", st.Text)
	}
	if st.Restarts > 0 {
		row("restarts", "%d, after failures: the log or '%s' tells why", st.Restarts, st.Journal)
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
}

// newJob is the service that the command line asks for.
func newJob(w *world, c *serviceInstallCmd) (*service.Job, error) {
	if c.RunAs != "" && !c.System {
		return nil, exit.Usage("add --system, or log in as that user", "--run-as is for a service of the machine")
	}
	who, err := runAs(c.RunAs, c.System)
	if err != nil {
		return nil, err
	}
	j, err := service.NewJob(c.System, who)
	if err != nil {
		return nil, err
	}
	given, err := w.GivenArguments("json", "quiet")
	if err != nil {
		return nil, err
	}
	if j.Log, err = logPath(w, j); err != nil {
		return nil, err
	}
	j.Args = slices.Concat([]string{"run"}, given, w.LogArguments(j.Log))
	if runtime.GOOS == "windows" {
		j.Args = append(j.Args, placeArguments(w, j)...)
	}
	return j, nil
}

// runAs is whom a service runs as: for one of the machine not root because of sudo, but who has the
// mappings.
func runAs(name string, system bool) (*user.User, error) {
	if name == "" && system && os.Geteuid() == 0 {
		name = os.Getenv("SUDO_USER")
	}
	if name == "" {
		who, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("find out who calls: %w", err)
		}
		return who, nil
	}
	who, err := user.Lookup(name)
	if err != nil {
		return nil, exit.Usage("name a user of this machine", "--run-as: %w", err)
	}
	return who, nil
}

// mappingsOf is the config file of the service.
func mappingsOf(w *world, j *service.Job) string {
	if w.Mappings != "" {
		return w.Mappings
	}
	return filepath.Join(j.ConfigDir(), "config.toml")
}

// haveMappings refuses to install what would have nothing to do.
func haveMappings(w *world, j *service.Job) error {
	const hint = "'snapsync config init' makes the first one"
	path := mappingsOf(w, j)
	file, err := w.Schema().Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exit.Usage(hint, "there are no mappings: %s does not exist", text.Path(path))
	case err != nil:
		return settings.AsUsage(err)
	case len(file.Mappings) == 0:
		return exit.Usage(hint, "there are no mappings in %s", text.Path(path))
	case !j.Own():
		return nil // ~ and the like mean something else here
	}
	// With what `run` refuses for good the service would end at once and not be started again.
	_, err = w.SpecsOf(file, &settings.Spec{})
	return err
}

// logPath is where the service writes its log: in the state directory, unless something else is said.
func logPath(w *world, j *service.Job) (string, error) {
	path := filepath.Join(j.StateDir(), "snapsync.log")
	if w.StateDir != "" {
		path = filepath.Join(w.StateDir, "snapsync.log")
	}
	if w.LogFile != "" {
		path = w.LogFile
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find log file: %w", err)
	}
	return path, nil
}

// placeArguments name the files that another account would look for elsewhere, and are not given: what variables decide
// for whoever calls is among them, so that the service needs none. That of Windows runs as the system's account.
func placeArguments(w *world, j *service.Job) []string {
	var args []string
	if w.Mappings == "" {
		args = append(args, "--mappings="+mappingsOf(w, j))
	}
	if states, err := w.States(); err == nil && w.StateDir == "" {
		args = append(args, "--state-dir="+states.Root)
	}
	if path := rclone.ConfigPath(); w.Config == "" && path != "" {
		if _, err := os.Stat(path); err == nil { // one that is named must be there
			args = append(args, "--config="+path)
		}
	}
	return args
}

// tell prints a line for a person who installs a service.
func tell(w *world, format string, args ...any) {
	if !w.Quiet {
		fmt.Fprintf(w.Out, format+"\n", args...)
	}
}
