// Package wizard makes a mapping of the config file: from flags alone, or by questions.
//
// A Draft is checked as the file would be read, connected to its remote and planned once before it is written; what is in the file
// already stays as it is. A question that gets no answer, or Ctrl-C, leaves nothing behind.
package wizard

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
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Write takes what the flags say.
func (d *Draft) Write() error {
	if d.source == "" || d.Remote == "" {
		return exit.Usage("or leave out --yes to be asked", "--yes needs --source and --remote")
	}
	if d.Name == "" {
		d.Name = d.freeName()
	}
	if err := d.check(); err != nil {
		return err
	}
	if d.Trial {
		if err := d.connect(); err != nil {
			return err
		}
	}
	return d.write()
}

// Draft is a mapping that is not in the file yet.
type Draft struct {
	*settings.Resolver
	*console.Printer
	settings.Spec
	source  string       // as it will be written; Src is what it means
	file    *config.File // nil: there is none
	Trial   bool         // connect to the remote, and show a first plan
	Running func() bool  // whether a process runs that can take the mapping up
}

// New returns a draft of what is known already. source is as a shell has it; "": not known.
func New(r *settings.Resolver, p *console.Printer, spec settings.Spec, source string) (*Draft, error) {
	d := &Draft{Resolver: r, Printer: p, Spec: spec}
	if source != "" {
		if err := d.setSource(literal(source)); err != nil {
			return nil, err
		}
	}
	if d.Remote != "" {
		d.Remote = wholeRemote(d.Remote)
	}
	if _, err := os.Stat(r.ConfigPath()); !errors.Is(err, fs.ErrNotExist) {
		if d.file, err = r.ConfigFile(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// setSource takes a source as a person writes it into the file.
func (d *Draft) setSource(text string) error {
	path, err := settings.ExpandPath(text)
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
	d.Src, err = filepath.Abs(path)
	return err
}

// freeName is a name that says what is mirrored and that no other mapping has.
func (d *Draft) freeName() string {
	base := mapping.Slug(filepath.Base(d.Src))
	name := base
	for n := 2; d.file != nil && d.file.Mapping(name) != nil; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// checkName refuses a name that cannot be or is taken.
func (d *Draft) checkName(name string) error {
	if err := config.CheckName(name); err != nil {
		return exit.Usage("", "%w", err)
	}
	if d.file != nil && d.file.Mapping(name) != nil {
		return exit.Usage("choose another name, or edit that one with 'snapsync config edit'", "%s has a mapping %q already", text.Path(d.file.Path), name)
	}
	return nil
}

// check refuses what `run` or the file would refuse. Nothing is connected to.
func (d *Draft) check() error {
	if err := d.checkName(d.Name); err != nil {
		return err
	}
	d.leaveOutState()
	if _, _, err := d.Prepare(d.resolved()); err != nil {
		return err
	}
	_, file, err := d.Schema().Extend(d.ConfigPath(), d.text())
	if err == nil {
		var all []settings.Spec
		if all, err = d.SpecsOf(file, &settings.Spec{}); err == nil {
			err = d.Together(file, all)
		}
	}
	if problems := config.Problems(nil); errors.As(err, &problems) { // whose lines are not there yet
		return exit.Usage("nothing was written", "%w", problems[0].Err)
	}
	return err
}

// leaveOutState excludes snapsync's own state where it is inside the source, as in a home directory.
func (d *Draft) leaveOutState() {
	states, err := d.States()
	if err != nil {
		return // check says it
	}
	rel, inside := mapping.Within(d.Src, states.Root)
	if filter, err := d.Mirrored(); err != nil || !inside || rel == "" || filter != nil && !filter.Dir(rel) {
		return
	}
	d.Exclude = append(slices.Clip(d.Exclude), "/"+rel+"/**")
}

// resolved is the mapping as it will be read from the file.
func (d *Draft) resolved() *settings.Spec {
	s := d.Spec
	if remote, err := settings.RemoteOf(s.Remote); err == nil {
		s.Remote = remote
	}
	return &s
}

// connect asks the remote whether it is there.
func (d *Draft) connect() error {
	s := d.resolved()
	m, err := d.MappingFor(s.Src, &s.Target)
	if err != nil {
		return err
	}
	return d.probe(m)
}

// text is the mapping as the file has it: what is always worth saying, and what differs from its default.
func (d *Draft) text() string {
	given := []config.Setting{
		{Key: "source", V: d.source, Comment: "The directory to mirror; ~ and $VARIABLES are expanded."},
		{Key: "remote", V: d.Remote, Comment: "Where to: anything that rclone takes, or a directory."},
	}
	standard := settings.Spec{}
	defaults := standard.Flags()
	for _, f := range defaults {
		settings.SetDefault(f)
	}
	for _, f := range d.Flags() {
		if f.Tag.Get("config") == "-" || f.Tag.Get("config") == "process" {
			continue
		}
		same := reflect.DeepEqual(f.Target.Interface(), settings.FlagNamed(defaults, f.Name).Target.Interface())
		if same && f.Name != "complete-sync" {
			continue
		}
		given = append(given, config.Setting{Key: f.Name, V: written(f), Comment: f.Help})
	}
	return config.Format(d.Name, given)
}

// written is the value of a flag as the file has it.
func written(f *kong.Flag) any {
	if v, ok := f.Target.Interface().(time.Duration); ok {
		return text.Duration(v)
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
func (d *Draft) write() error {
	path := d.ConfigPath()
	data, _, err := d.Schema().Extend(path, d.text())
	if err != nil {
		return settings.AsUsage(err)
	}
	if err := config.Write(path, data); err != nil {
		return err
	}
	if d.JSON {
		return text.WriteJSON(d.Out, text.Check{Type: "written", Mapping: d.Name, OK: true, Path: path, Text: "written"})
	}
	if d.Quiet {
		return nil
	}
	_, err = fmt.Fprintf(d.Out, "snapsync: mapping %q is in %s\n%s", d.Name, text.Path(path), d.next())
	return err
}

// next lists the commands to go on with.
func (d *Draft) next() string {
	opt := ""
	if d.Mappings != "" {
		opt = " --mappings " + text.ShellWord(d.Mappings)
	}
	rows := [][2]string{
		{"snapsync plan" + opt + " -m " + d.Name, "look at every step of a first run"},
		{"snapsync run" + opt + " --once -m " + d.Name, "do it"},
		{"snapsync run" + opt, "stay, and keep all mappings true"},
		{"snapsync status" + opt, "see how things stand"},
		{"snapsync config edit" + opt, "change what was written"},
	}
	if d.Running() {
		rows = append(rows, [2]string{"snapsync config reload" + opt, "have what is running take it up"})
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-34s %s\n", r[0], r[1])
	}
	return b.String()
}

// probe connects to the remote of a mapping.
func (d *Draft) probe(m *mapping.Mapping) error {
	remote, err := d.RemoteConfig(m, &settings.SyncFlags{}, "")
	if err != nil {
		return err
	}
	conn, err := backends.Open(d.Ctx, remote)
	if err != nil {
		return err
	}
	return errors.Join(conn.Probe(d.Ctx), conn.Close())
}
