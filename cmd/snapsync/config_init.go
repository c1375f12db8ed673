package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type configInitCmd struct {
	Name    string `arg:"" optional:"" help:"The name of the mapping. Default: that of the directory."`
	Yes     bool   `group:"which" short:"y" help:"Ask nothing: flags say what to write, the rest has its default."`
	Source  string `group:"which" placeholder:"DIR" help:"The directory to mirror."`
	Remote  string `group:"which" placeholder:"REMOTE" help:"Where to: anything that rclone takes, or a directory."`
	NoTrial bool   `group:"which" help:"Do not connect to the remote and show no first plan."`
	syncFlags
	watchFlags
}

// Help is the long text of `config init --help`.
func (*configInitCmd) Help() string {
	return `It asks for a directory, a remote, what happens to deleted files and what to leave out; connects to the remote, shows what a
first run would do, and adds the mapping to the config file, with comments, for you to edit later. What is in the file
already stays as it is. What a flag says is not asked. Nothing is sent.

A remote that rclone does not know yet can be made on the way, with rclone's own questions. An empty answer takes what is
in brackets, and Ctrl-C gives up with nothing written.

Examples:

    snapsync config init
    snapsync config init work --source ~/work
    snapsync config init --yes --source ~/work --remote nas:work --complete-sync --exclude '*.tmp'`
}

// Run implements the command.
func (c *configInitCmd) Run(a *app) error {
	d := &draft{app: a, spec: spec{name: c.Name, target: target{Remote: c.Remote}}}
	for _, f := range d.flags() {
		setDefault(f)
	}
	d.syncFlags, d.watchFlags = c.syncFlags, c.watchFlags
	if c.Source != "" {
		if err := d.setSource(literal(c.Source)); err != nil {
			return err
		}
	}
	if c.Remote != "" {
		d.Remote = wholeRemote(c.Remote)
	}
	if _, err := os.Stat(a.configPath()); !errors.Is(err, fs.ErrNotExist) {
		if d.file, err = a.configFile(); err != nil {
			return err
		}
	}
	if c.Yes {
		return c.unattended(d)
	}
	return (&wizard{draft: d, ask: console.NewAsker(a.ctx, a.Out), trial: !c.NoTrial}).run()
}

// unattended takes what the flags say.
func (c *configInitCmd) unattended(d *draft) error {
	if d.source == "" || d.Remote == "" {
		return exit.Usage("or leave out --yes to be asked", "--yes needs --source and --remote")
	}
	if d.name == "" {
		d.name = d.freeName()
	}
	if err := d.check(); err != nil {
		return err
	}
	if !c.NoTrial {
		if err := d.connect(); err != nil {
			return err
		}
	}
	return d.write()
}

// draft is a mapping that is not in the file yet.
type draft struct {
	*app
	spec
	source string       // as it will be written; src is what it means
	file   *config.File // nil: there is none
}

// setSource takes a source as a person writes it into the file.
func (d *draft) setSource(text string) error {
	path, err := expandPath(text)
	if err != nil {
		return exit.Usage("", "source: %w", err)
	}
	if !filepath.IsAbs(path) {
		text = literal(path)
	}
	if _, err := mapping.FindSource(path); err != nil {
		return err
	}
	d.source = text
	d.src, err = filepath.Abs(path)
	return err
}

// freeName is a name that says what is mirrored and that no other mapping has.
func (d *draft) freeName() string {
	base := mapping.Slug(filepath.Base(d.src))
	name := base
	for n := 2; d.file != nil && d.file.Mapping(name) != nil; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// checkName refuses a name that cannot be or is taken.
func (d *draft) checkName(name string) error {
	if err := config.CheckName(name); err != nil {
		return exit.Usage("", "%w", err)
	}
	if d.file != nil && d.file.Mapping(name) != nil {
		return exit.Usage("choose another name, or edit that one with 'snapsync config edit'", "%s has a mapping %q already", text.Path(d.file.Path), name)
	}
	return nil
}

// check refuses what `run` or the file would refuse. Nothing is connected to.
func (d *draft) check() error {
	if err := d.checkName(d.name); err != nil {
		return err
	}
	d.leaveOutState()
	if _, _, err := d.prepareSpec(d.resolved()); err != nil {
		return err
	}
	_, file, err := d.schema().Extend(d.configPath(), d.text())
	if err == nil {
		var all []spec
		if all, err = d.specsOf(file, &spec{}); err == nil {
			err = d.together(file, all)
		}
	}
	if problems := config.Problems(nil); errors.As(err, &problems) { // whose lines are not there yet
		return exit.Usage("nothing was written", "%w", problems[0].Err)
	}
	return err
}

// leaveOutState excludes snapsync's own state where it is inside the source, as in a home directory.
func (d *draft) leaveOutState() {
	states, err := d.States()
	if err != nil {
		return // check says it
	}
	rel, inside := mapping.Within(d.src, states.Root)
	if filter, err := d.mirrored(); err != nil || !inside || rel == "" || filter != nil && !filter.Dir(rel) {
		return
	}
	d.Exclude = append(slices.Clip(d.Exclude), "/"+rel+"/**")
}

// resolved is the mapping as it will be read from the file.
func (d *draft) resolved() *spec {
	s := d.spec
	if remote, err := remoteOf(s.Remote); err == nil {
		s.Remote = remote
	}
	return &s
}

// connect asks the remote whether it is there.
func (d *draft) connect() error {
	s := d.resolved()
	m, err := d.mappingFor(s.src, &s.target)
	if err != nil {
		return err
	}
	return d.probe(m)
}

// text is the mapping as the file has it: what is always worth saying, and what differs from its default.
func (d *draft) text() string {
	settings := []config.Setting{
		{Key: "source", V: d.source, Comment: "The directory to mirror; ~ and $VARIABLES are expanded."},
		{Key: "remote", V: d.Remote, Comment: "Where to: anything that rclone takes, or a directory."},
	}
	standard := spec{}
	defaults := standard.flags()
	for _, f := range defaults {
		setDefault(f)
	}
	for _, f := range d.flags() {
		if f.Tag.Get("config") == "-" || f.Tag.Get("config") == "process" {
			continue
		}
		same := reflect.DeepEqual(f.Target.Interface(), flagNamed(defaults, f.Name).Target.Interface())
		if same && f.Name != "complete-sync" {
			continue
		}
		settings = append(settings, config.Setting{Key: f.Name, V: written(f), Comment: f.Help})
	}
	return config.Format(d.name, settings)
}

// written is the value of a flag as the file has it.
func written(f *kong.Flag) any {
	if v, ok := f.Target.Interface().(time.Duration); ok {
		return shortDuration(v)
	}
	if list, ok := f.Target.Interface().([]string); ok && f.Tag.PlaceHolder == "FILE" {
		var whole []string
		for _, name := range list {
			whole = append(whole, literal(name))
		}
		return whole
	}
	return f.Target.Interface()
}

// write adds the mapping to the file and says how to go on.
func (d *draft) write() error {
	path := d.configPath()
	data, _, err := d.schema().Extend(path, d.text())
	if err != nil {
		return asUsage(err)
	}
	if err := config.Write(path, data); err != nil {
		return err
	}
	if d.JSON {
		return text.WriteJSON(d.Out, checkJSON{Type: "written", Mapping: d.name, OK: true, Path: path, Text: "written"})
	}
	if d.Quiet {
		return nil
	}
	_, err = fmt.Fprintf(d.Out, "snapsync: mapping %q is in %s\n%s", d.name, text.Path(path), d.next())
	return err
}

// next lists the commands to go on with.
func (d *draft) next() string {
	opt := ""
	if d.Mappings != "" {
		opt = " --mappings " + text.ShellWord(d.Mappings)
	}
	rows := [][2]string{
		{"snapsync plan" + opt + " -m " + d.name, "look at every step of a first run"},
		{"snapsync run" + opt + " --once -m " + d.name, "do it"},
		{"snapsync run" + opt, "stay, and keep all mappings true"},
		{"snapsync status" + opt, "see how things stand"},
		{"snapsync config edit" + opt, "change what was written"},
	}
	if d.someRun() {
		rows = append(rows, [2]string{"snapsync config reload" + opt, "have what is running take it up"})
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-34s %s\n", r[0], r[1])
	}
	return b.String()
}

// probe connects to the remote of a mapping.
func (a *app) probe(m *mapping.Mapping) error {
	remote, err := a.remoteConfig(m, &syncFlags{}, "")
	if err != nil {
		return err
	}
	conn, err := backends.Open(a.ctx, remote)
	if err != nil {
		return err
	}
	return errors.Join(conn.Probe(a.ctx), conn.Close())
}
