package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
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

// serviceName is how the service manager calls it.
const serviceName = "snapsync"

// job is what a service manager shall run, and as whom.
type job struct {
	system  bool
	user    *user.User // whom it runs as
	program string     // absolute
	args    []string   // of the program
	env     []string   // NAME=VALUE

	mappings string // the config file
	envFile  string // of variables that a person adds; need not exist
	log      string // the file
}

// serviceManager is what starts programs on this system. Its methods can be called again when what
// they do is done already. Lines for people go to the app that it was made with.
type serviceManager interface {
	// text is the definition that install writes.
	text(*job) (string, error)
	install(*job) error
	uninstall() error
	start() error
	stop() error
	status() (*serviceStatus, error)
}

// newServiceManager picks the one of this system.
func (a *app) newServiceManager(f scopeFlags) (serviceManager, error) {
	switch runtime.GOOS {
	case "linux":
		return newSystemd(a, f.System), nil
	case "darwin":
		return newLaunchd(a, f.System)
	case "windows":
		return newWindowsService(a)
	}
	return nil, exit.Usage("have 'snapsync run' started by the one that you use",
		"no service manager of %s is known", runtime.GOOS)
}

// Run implements the command.
func (c *serviceInstallCmd) Run(a *app) error {
	m, err := a.newServiceManager(c.scopeFlags)
	if err != nil {
		return err
	}
	j, err := a.newJob(c)
	if err != nil {
		return err
	}
	if !c.Print {
		return c.install(a, m, j)
	}
	text, err := m.text(j)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}

func (c *serviceInstallCmd) install(a *app, m serviceManager, j *job) error {
	if c.System && runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return exit.Usage("call it with sudo, or leave --system out", "a service of the machine needs root")
	}
	if err := a.haveMappings(j); err != nil {
		return err
	}
	if err := checkProgram(j.program); err != nil {
		return err
	}
	return m.install(j)
}

// Run implements the command.
func (c *serviceUninstallCmd) Run(a *app) error {
	m, err := a.newServiceManager(c.scopeFlags)
	if err != nil {
		return err
	}
	return m.uninstall()
}

// Run implements the command.
func (c *serviceStartCmd) Run(a *app) error {
	m, err := a.newServiceManager(c.scopeFlags)
	if err != nil {
		return err
	}
	return m.start()
}

// Run implements the command.
func (c *serviceStopCmd) Run(a *app) error {
	m, err := a.newServiceManager(c.scopeFlags)
	if err != nil {
		return err
	}
	return m.stop()
}

// newJob is the service that the command line asks for.
func (a *app) newJob(c *serviceInstallCmd) (*job, error) {
	if c.RunAs != "" && !c.System {
		return nil, exit.Usage("add --system, or log in as that user", "--run-as is for a service of the machine")
	}
	who, err := runAs(c.RunAs, c.System)
	if err != nil {
		return nil, err
	}
	program, err := programPath()
	if err != nil {
		return nil, err
	}
	j := &job{system: c.System, user: who, program: program}
	if j.isOurs() {
		j.env = inheritedEnvironment()
	}
	configHome := filepath.Join(j.home(xdg.ConfigHome, ".config"), "snapsync")
	j.mappings, j.envFile = filepath.Join(configHome, "config.toml"), filepath.Join(configHome, "environment")
	if j.system {
		j.envFile = "/etc/snapsync/environment" // root reads it: a link of another user's would show them what is not theirs
	}
	if a.Mappings != "" {
		j.mappings = a.Mappings
	}
	if j.args, err = a.givenArguments(); err != nil {
		return nil, err
	}
	j.log, err = a.logPath(j)
	j.args = append(append([]string{"run"}, j.args...), a.logArguments(j.log)...)
	return j, err
}

// haveMappings refuses to install what would have nothing to do.
func (a *app) haveMappings(j *job) error {
	const hint = "'snapsync config init' makes the first one"
	file, err := a.schema().Load(j.mappings)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exit.Usage(hint, "there are no mappings: %s does not exist", text.Path(j.mappings))
	case err != nil:
		return asUsage(err)
	case len(file.Mappings) == 0:
		return exit.Usage(hint, "there are no mappings in %s", text.Path(j.mappings))
	case !j.isOurs():
		return nil // ~ and the like mean something else here
	}
	// With what `run` refuses for good the service would end at once and not be started again.
	_, err = a.specsOf(file, &spec{})
	return err
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

// isOurs reports whether the service runs as whoever calls.
func (j *job) isOurs() bool {
	me, err := user.Current()
	return err == nil && me.Uid == j.user.Uid
}

// home is a directory such as ~/.config of whom the service runs as.
func (j *job) home(ours, below string) string {
	if j.isOurs() {
		return ours
	}
	return filepath.Join(j.user.HomeDir, below)
}

// programPath is this program as it was called, so that a link which a packager moves with each version stays
// one; os.Executable looks through links on some systems.
func programPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	called, err := exec.LookPath(os.Args[0])
	if err != nil {
		return self, nil
	}
	if called, err = filepath.Abs(called); err != nil || !sameFile(called, self) {
		return self, nil
	}
	return called, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// checkProgram refuses what will not be there tomorrow: `go run` builds into a temporary directory.
func checkProgram(path string) error {
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if strings.HasPrefix(filepath.Base(dir), "go-build") {
			return exit.Usage("install it first: go install ./cmd/snapsync", "%s is gone when this command ends", text.Path(path))
		}
	}
	return nil
}

// inheritedEnvironment is what decides where configuration and state are, and is set here.
func inheritedEnvironment() []string {
	var env []string
	for _, name := range []string{"RCLONE_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// ofThisCommand are the global flags that are about what install itself prints.
var ofThisCommand = []string{"help", "version", "json", "quiet"}

// givenArguments are the global flags of this command line, and of SNAPSYNC_ variables, for another one,
// which may run in another directory. What the config file says is left to it.
func (a *app) givenArguments() ([]string, error) {
	var args []string
	for _, f := range a.model.Flags {
		if a.given[f.Name] == byNothing || slices.Contains(ofThisCommand, f.Name) || strings.HasPrefix(f.Name, "log-file") {
			continue
		}
		values, err := valuesOf(f)
		if err != nil {
			return nil, err
		}
		args = append(args, values...)
	}
	return args, nil
}

// valuesOf writes a flag as it was given.
func valuesOf(f *kong.Flag) (args []string, err error) {
	name := "--" + f.Name
	switch value := f.Target.Interface().(type) {
	case bool:
		return []string{fmt.Sprintf("%s=%t", name, value)}, nil
	case int:
		for range value { // a counter such as -vv
			args = append(args, name)
		}
	case []string:
		for _, v := range value {
			args = append(args, name+"="+v)
		}
	case string:
		if f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR" {
			value, err = filepath.Abs(value)
		}
		args = []string{name + "=" + value}
	}
	return args, err
}

// logPath is where the service writes its log: in the state directory, unless something else is said.
func (a *app) logPath(j *job) (string, error) {
	path := filepath.Join(j.home(xdg.StateHome, filepath.Join(".local", "state")), "snapsync", "snapsync.log")
	if a.StateDir != "" {
		path = filepath.Join(a.StateDir, "snapsync.log")
	}
	if a.LogFile != "" {
		path = a.LogFile
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find log file: %w", err)
	}
	return path, nil
}

// logArguments give the service a log that rotates, with the limits given here or modest ones. Those of
// the config file stand.
func (a *app) logArguments(path string) []string {
	var args []string
	add := func(name, value string, said bool) {
		if a.given[name] != byNothing || !said {
			args = append(args, "--"+name+"="+value)
		}
	}
	limit, backups := a.LogFileMaxSize, a.LogFileMaxBackups
	if limit == "" {
		limit = "10M"
	}
	if backups == 0 {
		backups = 5
	}
	add("log-file", path, a.LogFile != "")
	add("log-file-max-size", limit, a.LogFileMaxSize != "")
	add("log-file-max-backups", fmt.Sprint(backups), a.LogFileMaxBackups != 0 || a.LogFileMaxAge != "")
	add("log-file-max-age", a.LogFileMaxAge, true)
	add("log-file-compress", fmt.Sprint(a.LogFileCompress), true)
	return args
}

// writeDefinition writes a file of the service manager, whole or not at all, and reports whether that
// changed anything.
func writeDefinition(path, text string) (changed bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && string(old) == text {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read service definition: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, fmt.Errorf("make directory of service definitions: %w", err)
	}
	// A crash before the rename leaves NAME.tmp, which no service manager reads and the next install replaces.
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		return false, fmt.Errorf("write service definition: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return false, fmt.Errorf("write service definition: %w", err)
	}
	return true, nil
}

// removeDefinition reports whether there was one.
func removeDefinition(path string) (bool, error) {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove service definition: %w", err)
	}
	return true, nil
}

// tell prints a line for a person who installs a service.
func (a *app) tell(format string, args ...any) {
	if !a.Quiet {
		fmt.Fprintf(a.stdout, format+"\n", args...)
	}
}
