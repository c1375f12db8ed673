package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
)

// origin says what set a flag. A later one wins over an earlier one.
type origin int

const (
	byNothing  origin = iota // its default, or the config file
	byVariable               // of the environment
	byFlag
)

// givenFlags tells which flags were set from outside, by name.
func givenFlags(parsed *kong.Context) map[string]origin {
	given := map[string]origin{}
	for _, f := range parsed.Flags() {
		for _, name := range f.Envs {
			if _, set := os.LookupEnv(name); set {
				given[f.Name] = byVariable
			}
		}
	}
	for _, p := range parsed.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = byFlag
		}
	}
	return given
}

// flagsOf returns the flags that structs of flags declare, in order; their targets are the fields.
func flagsOf(groups ...any) []*kong.Flag {
	var flags []*kong.Flag
	for _, g := range groups {
		k, err := kong.New(g, kong.NoDefaultHelp())
		if err != nil {
			panic(fmt.Sprintf("flags of %T: %v", g, err))
		}
		flags = append(flags, k.Model.Flags...)
	}
	return flags
}

// schema is the keys of the config file: the flags of `run` and of every command.
func (a *app) schema() *config.Schema {
	return schemaOf(a.model)
}

func schemaOf(model *kong.Application) *config.Schema {
	s := &config.Schema{}
	for _, f := range model.Flags {
		if f.Tag.Get("config") != "-" && f.Name != "help" {
			s.Process = append(s.Process, keyOf(f))
		}
	}
	ofMappings := flagsOf(&syncFlags{}, &guardFlags{}, &transferFlags{}, &watchFlags{})
	run := model.Children[slices.IndexFunc(model.Children, func(n *kong.Node) bool { return n.Name == "run" })]
	for _, f := range run.Flags {
		where := f.Tag.Get("config")
		isMappings := slices.ContainsFunc(ofMappings, func(g *kong.Flag) bool { return g.Name == f.Name })
		if where == "-" {
			continue
		}
		if isMappings && where != "process" {
			s.Mapping = append(s.Mapping, keyOf(f))
		} else {
			s.Process = append(s.Process, keyOf(f))
		}
	}
	return s
}

// kindsOf are the types of flags that a file can set.
var kindsOf = map[reflect.Type]config.Kind{
	reflect.TypeFor[bool](): config.Bool, reflect.TypeFor[string](): config.Text, reflect.TypeFor[[]string](): config.Texts,
	reflect.TypeFor[int](): config.Number, reflect.TypeFor[time.Duration](): config.Duration,
}

func keyOf(f *kong.Flag) config.Key {
	kind, ok := kindsOf[f.Target.Type()]
	if !ok {
		panic(fmt.Sprintf(`flag --%s: no kind of key for %s: add one to package config, or tag the flag config:"-"`, f.Name, f.Target.Type()))
	}
	return config.Key{Name: f.Name, Kind: kind, Default: f.Default, Help: f.Help}
}

// configPath is where the config file is, or would be.
func (g *globals) configPath() string {
	if g.Mappings != "" {
		return g.Mappings
	}
	return filepath.Join(xdg.ConfigHome, "snapsync", "config.toml")
}

// configFile reads the config file. The error is fs.ErrNotExist if there is none, which is only an
// error where one was named.
func (a *app) configFile() (*config.File, error) {
	path := a.configPath()
	if _, err := os.Stat(path); err != nil && a.Mappings != "" {
		return nil, usage("--mappings names the config file; 'snapsync config init' makes one", "read mappings: %v", err)
	}
	file, err := a.schema().Load(path)
	return file, asUsage(err)
}

// asUsage makes what is wrong with a config file a usage error.
func asUsage(err error) error {
	if problems, ok := err.(config.Problems); ok {
		return &failure{status: statusUsage, err: problems, hint: "'snapsync config edit' opens the file, 'snapsync config check' looks for mistakes"}
	}
	return err
}

// configure sets what the config file says about the process, unless a flag or a variable says it.
func (a *app) configure(parsed *kong.Context) error {
	file, err := a.configFile()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || canDoWithout(parsed) {
			return nil
		}
		return err
	}
	// The log file is that of the process that stays, which a service is: a person who asks something looks
	// at the terminal, and only one process can rotate a file.
	mine := func(name string) bool {
		return !strings.HasPrefix(name, "log-file") || isAbout(parsed, "run", "service")
	}
	var flags []*kong.Flag
	for _, f := range parsed.Flags() {
		if a.given[f.Name] == byNothing && mine(f.Name) {
			flags = append(flags, f)
		}
	}
	err = asUsage(a.apply(file, flags, file.Process).Err())
	if err != nil && canDoWithout(parsed) {
		return nil
	}
	return err
}

// canDoWithout reports whether a command works with a config file that is wrong, or looks for what is
// wrong itself.
func canDoWithout(parsed *kong.Context) bool {
	return isAbout(parsed, "config", "service", "version", "completion", "doctor")
}

// isAbout reports whether the command is one of these or beneath it.
func isAbout(parsed *kong.Context, commands ...string) bool {
	for n := parsed.Selected(); n != nil; n = n.Parent {
		if slices.Contains(commands, n.Name) {
			return true
		}
	}
	return false
}

// specsOf returns the mappings of the file, each with what was given from outside.
func (a *app) specsOf(file *config.File, given *spec) ([]spec, error) {
	var all []spec
	var found config.Problems
	for i := range file.Mappings {
		s, problems := a.specOf(file, &file.Mappings[i], given)
		all, found = append(all, s), append(found, problems...)
	}
	return all, asUsage(unique(found).Err())
}

// unique drops what was found for several mappings at one place, which is in [defaults].
func unique(ps config.Problems) config.Problems {
	seen := map[string]bool{}
	return slices.DeleteFunc(ps, func(p *config.Problem) bool {
		text := p.Error()
		known := seen[text]
		seen[text] = true
		return known
	})
}

// specOf is one mapping of the file. From the weakest to the strongest: defaults of the flags, [defaults],
// its own table, what was given from outside.
func (a *app) specOf(file *config.File, m *config.Mapping, given *spec) (spec, config.Problems) {
	s := spec{name: m.Name, target: target{Mapping: m.Name}}
	flags := s.flags()
	for _, f := range flags {
		setDefault(f)
	}
	var found config.Problems
	for _, t := range []config.Table{file.Defaults, m.Options} {
		found = append(found, a.apply(file, flags, t)...)
	}
	a.give(flags, given.flags())
	s.Bwlimit = given.Bwlimit // the process's, wherever it comes from

	problem := func(key string, err error) {
		if err != nil {
			found = append(found, file.Problem(file.Find(m, key), "%s: %w", key, err))
		}
	}
	var err error
	s.src, err = directory(m.Source)
	problem("source", err)
	s.Remote, err = remoteOf(m.Remote)
	problem("remote", err)
	for _, c := range valueChecks {
		if len(found) == 0 {
			problem(c.key, c.check(&s))
		}
	}
	return s, found
}

// valueChecks refuse what a key cannot mean.
var valueChecks = []struct {
	key   string
	check func(*spec) error
}{
	{"max-delete", func(s *spec) error { _, err := s.limit(); return err }},
	{"transfers", func(s *spec) error { _, err := s.parallel(); return err }},
	{"retries", func(s *spec) error { return s.attempts() }},
}

func setDefault(f *kong.Flag) {
	if !f.HasDefault {
		return
	}
	var v any = f.Default
	var err error
	switch kindsOf[f.Target.Type()] {
	case config.Bool:
		v, err = strconv.ParseBool(f.Default)
	case config.Number:
		v, err = strconv.Atoi(f.Default)
	case config.Duration:
		v, err = time.ParseDuration(f.Default)
	}
	if err != nil {
		panic(fmt.Sprintf("flag --%s: default: %v", f.Name, err))
	}
	f.Target.Set(reflect.ValueOf(v))
}

// apply sets the flags that t has keys for. The problems are paths that mean nothing, and keys that
// exclude each other.
func (a *app) apply(file *config.File, flags []*kong.Flag, t config.Table) (found config.Problems) {
	set := map[string]*kong.Flag{} // by the group of those that exclude each other
	for _, f := range flags {
		v, ok := t[f.Name]
		if !ok || f.Tag.Get("config") == "-" {
			continue
		}
		value, err := expanded(f, v.V, filepath.Dir(file.Path))
		if err != nil {
			found = append(found, file.Problem(v.At, "%s: %w", f.Name, err))
			continue
		}
		if value == true {
			for _, group := range f.Xor {
				if other := set[group]; other != nil {
					found = append(found, file.Problem(v.At, "%s and %s exclude each other", other.Name, f.Name))
				}
				set[group] = f
			}
			clearRivals(flags, f)
		}
		f.Target.Set(reflect.ValueOf(value))
	}
	return found
}

// give sets the flags that were given from outside to what they have in from.
func (a *app) give(flags, from []*kong.Flag) {
	for _, f := range flags {
		i := slices.IndexFunc(from, func(g *kong.Flag) bool { return g.Name == f.Name })
		if i < 0 || a.given[f.Name] == byNothing {
			continue
		}
		if from[i].Target.Kind() == reflect.Bool && from[i].Target.Bool() {
			clearRivals(flags, f)
		}
		f.Target.Set(from[i].Target)
	}
}

// clearRivals unsets the flags that exclude f.
func clearRivals(flags []*kong.Flag, f *kong.Flag) {
	rival := func(g *kong.Flag) bool {
		return g.Name != f.Name && slices.ContainsFunc(g.Xor, func(x string) bool { return slices.Contains(f.Xor, x) })
	}
	for _, g := range flags {
		if rival(g) {
			g.Target.SetZero()
		}
	}
}

// expanded makes the paths in a value whole: a service has no working directory that a person would
// think of. dir is what a relative file name is relative to.
func expanded(f *kong.Flag, v any, dir string) (any, error) {
	switch f.Tag.PlaceHolder {
	case "FILE":
		return eachText(v, func(s string) (string, error) { return fileIn(dir, s) })
	case "DIR":
		if f.Name == "backup-dir" {
			return eachText(v, remoteOf)
		}
		return eachText(v, directory)
	}
	return v, nil
}

// eachText applies fn to a text, or to each of a list.
func eachText(v any, fn func(string) (string, error)) (any, error) {
	switch v := v.(type) {
	case string:
		return fn(v)
	case []string:
		out := []string(nil)
		for _, s := range v {
			e, err := fn(s)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}
	return v, nil
}

// fileIn expands ~ and variables; what is relative is beside the config file.
func fileIn(dir, text string) (string, error) {
	path, err := expandPath(text)
	if err != nil || path == "" || path == "-" || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Abs(filepath.Join(dir, path))
}

// directory expands ~ and variables, and wants the whole path.
func directory(text string) (string, error) {
	path, err := expandPath(text)
	if err == nil && path != "" && !filepath.IsAbs(path) {
		err = fmt.Errorf("%s is relative: start it with / or ~/", show(text))
	}
	return path, err
}

// remoteOf expands ~ at the start of a local directory, and refuses one that depends on the working
// directory. In a remote $ has no meaning: passwords have it.
func remoteOf(text string) (string, error) {
	if text == "~" || strings.HasPrefix(text, "~/") {
		return expandPath(strings.ReplaceAll(text, "$", "$$"))
	}
	if _, _, err := backends.Canonical(text); err != nil {
		return "", err
	}
	path := strings.TrimPrefix(text, ":local:")
	if _, local := backends.LocalPath(text); local && text != "" && !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is a relative directory: start it with / or ~/, or name a remote as in nas:%s", show(text), show(text))
	}
	return text, nil
}

// expandPath replaces ~ at the start by the home directory, and $NAME and ${NAME} by variables of the
// environment; $$ is a dollar sign.
func expandPath(text string) (string, error) {
	var missing []string
	path := os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		value, ok := os.LookupEnv(name)
		if !ok {
			missing = append(missing, "$"+name)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s is not set in the environment: $$ is a dollar sign", strings.Join(missing, ", "))
	}
	if path != "~" && !strings.HasPrefix(path, "~/") {
		if strings.HasPrefix(text, "~") {
			return "", fmt.Errorf("%s: only ~/ is known, not the home of others: write the whole path", show(text))
		}
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("expand ~: %w", err)
	}
	return filepath.Join(home, path[1:]), nil
}
