package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type configShowCmd struct {
	Mapping string `group:"which" short:"m" placeholder:"NAME" help:"Only this mapping."`
	All     bool   `group:"output" help:"Show the keys that have their defaults, too."`
}

// Help is the long text of `config show --help`.
func (*configShowCmd) Help() string {
	return `It shows what the config file means for the process and for each mapping: [defaults] filled in, paths expanded, and
where each value comes from. Flags and variables of a run come on top. Secrets in remotes are shown as XXX.

Examples:

    snapsync config show
    snapsync config show -m work --all
    snapsync config show --json`
}

// Run implements the command.
func (c *configShowCmd) Run(w *world) error {
	file, err := w.ConfigFile()
	if errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("'snapsync config init' makes it", "%s does not exist", text.Path(w.ConfigPath()))
	}
	if err != nil {
		return err
	}
	specs, err := w.SpecsOf(file, &settings.Spec{})
	if err != nil {
		return err
	}
	if c.Mapping != "" {
		if specs, err = settings.Pick(file, specs, &settings.Spec{Target: settings.Target{Mapping: c.Mapping}}); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(w.Out)
	if err := c.write(w, out, file, specs); err != nil {
		return err
	}
	return out.Flush()
}

// fromHere is the origin of a value that stands in the table under which it is shown.
const fromHere = "here"

// shownKey is a key with the value that is in force.
type shownKey struct {
	name   string
	v      any
	origin string // "": its default
}

// shownMapping is one object of `config show --json`: first the process, then each mapping.
type shownMapping struct {
	Type    string         `json:"type"`
	File    string         `json:"file,omitempty"`
	Mapping string         `json:"mapping,omitempty"`
	Source  string         `json:"source,omitempty"`
	Remote  string         `json:"remote,omitempty"`
	Options map[string]any `json:"options"` // all keys with what is in force
}

func (c *configShowCmd) write(w *world, out *bufio.Writer, file *config.File, specs []settings.Spec) error {
	process := processKeys(w, file)
	if w.JSON {
		if err := text.WriteJSON(out, shownMapping{Type: "process", File: file.Path, Options: optionsOf(process)}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "# %s\n", text.Path(file.Path))
		c.writeKeys(out, process)
	}
	for i := range specs {
		s := &specs[i]
		_, remote, err := settings.RemoteKey(s.Remote)
		if err != nil {
			return err
		}
		keys := mappingKeys(file, s)
		if w.JSON {
			m := shownMapping{Type: "mapping", Mapping: s.Name, Source: s.Src, Remote: remote, Options: optionsOf(keys)}
			if err := text.WriteJSON(out, m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(out, "\n%s", config.Format(s.Name, nil))
		c.writeKeys(out, append([]shownKey{{"source", s.Src, fromHere}, {"remote", remote, fromHere}}, keys...))
	}
	return nil
}

// writeKeys prints keys as TOML, with where they come from.
func (c *configShowCmd) writeKeys(out *bufio.Writer, keys []shownKey) {
	for _, k := range keys {
		if k.origin == "" && !c.All {
			continue
		}
		origin := k.origin
		switch origin {
		case "":
			origin = "default"
		case fromHere:
			origin = ""
		}
		line := config.Line(k.name, k.v)
		if origin != "" {
			line = fmt.Sprintf("%-40s # %s", line, origin)
		}
		fmt.Fprintln(out, line)
	}
}

func optionsOf(keys []shownKey) map[string]any {
	options := map[string]any{}
	for _, k := range keys {
		options[k.name] = k.v
	}
	return options
}

// processKeys are the keys of the process as `run` would have them.
func processKeys(w *world, file *config.File) []shownKey {
	var keys []shownKey
	for _, key := range w.Schema().Process {
		f := settings.FlagNamed(w.Model.Flags, key.Name)
		if f == nil {
			f = settings.FlagNamed(w.RunFlags(), key.Name) // this process runs another command, so that nothing uses it
			settings.SetDefault(f)
		}
		if w.Given[key.Name] == settings.ByNothing {
			settings.Apply(file, []*kong.Flag{f}, file.Process)
		}
		_, set := file.Process[key.Name]
		keys = append(keys, shownKey{key.Name, shownValue(f), originOf(w, key.Name, set)})
	}
	return keys
}

// originOf says where a value of the process comes from; "": nowhere.
func originOf(w *world, key string, inFile bool) string {
	switch {
	case w.Given[key] == settings.ByFlag:
		return "a flag"
	case w.Given[key] == settings.ByVariable:
		return "the environment"
	case inFile:
		return fromHere
	}
	return ""
}

// mappingKeys are the keys of a mapping with what is in force.
func mappingKeys(file *config.File, s *settings.Spec) []shownKey {
	var keys []shownKey
	table := file.Mapping(s.Name)
	for _, f := range s.Flags() {
		if where := f.Tag.Get("config"); where == "-" || where == "process" {
			continue
		}
		origin := ""
		for _, t := range []struct {
			table config.Table
			name  string
		}{{file.Defaults, "[defaults]"}, {table.Options, fromHere}} {
			if _, set := t.table[f.Name]; set {
				origin = t.name
			}
		}
		keys = append(keys, shownKey{f.Name, shownValue(f), origin})
	}
	return keys
}

// shownValue is the value of a flag as a config file has it, without secrets.
func shownValue(f *kong.Flag) any {
	switch v := f.Target.Interface().(type) {
	case time.Duration:
		return text.Duration(v)
	case string:
		if f.Name == "backup-dir" && v != "" {
			if _, display, err := settings.RemoteKey(v); err == nil {
				return display
			}
		}
		return v
	case []string:
		return withoutSecrets(f.Name, v)
	}
	return f.Target.Interface()
}

var secretOption = regexp.MustCompile(`(?i)pass|secret|token|key|auth|header`)

// withoutSecrets hides what options of rclone keep secret.
func withoutSecrets(name string, list []string) []string {
	out := []string{}
	for _, s := range list {
		if key, _, ok := strings.Cut(s, "="); ok && name == "rclone" && secretOption.MatchString(key) {
			s = key + "=XXX"
		}
		out = append(out, s)
	}
	return out
}
