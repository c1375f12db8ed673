package settings

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
)

// Origin says what set a flag. A later one wins over an earlier one.
type Origin int

// What can set a flag.
const (
	ByNothing  Origin = iota // its default, or the config file
	ByVariable               // of the environment
	ByFlag
)

// GivenFlags tells which flags were set from outside, by name.
func GivenFlags(parsed *kong.Context) map[string]Origin {
	given := map[string]Origin{}
	for _, f := range parsed.Flags() {
		if name, _ := variableOf(f); name != "" {
			given[f.Name] = ByVariable
		}
	}
	for _, p := range parsed.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = ByFlag
		}
	}
	return given
}

// FlagsOf returns the flags that structs of flags declare, in order; their targets are the fields.
func FlagsOf(groups ...any) []*kong.Flag {
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

// Schema returns the keys of the config file: the flags of `run` and of every command.
func (r *Resolver) Schema() *config.Schema {
	s := &config.Schema{Answer: rclone.Advice}
	for _, f := range r.Model.Flags {
		if f.Tag.Get("config") != "-" && f.Name != "help" {
			s.Process = append(s.Process, keyOf(f))
		}
	}
	ofMappings := FlagsOf(&SyncFlags{}, &GuardFlags{}, &TransferFlags{}, &WatchFlags{})
	for _, f := range r.RunFlags() {
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

// RunFlags are the flags of `run` itself, whichever command this process runs.
func (r *Resolver) RunFlags() []*kong.Flag {
	return r.Model.Children[slices.IndexFunc(r.Model.Children, func(n *kong.Node) bool { return n.Name == "run" })].Flags
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

// SetDefault gives f the value that its tag has as default; without one f stays as it is.
func SetDefault(f *kong.Flag) {
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

// FlagNamed returns the flag of this name; nil: there is none.
func FlagNamed(flags []*kong.Flag, name string) *kong.Flag {
	for _, f := range flags {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Apply sets the flags that t, a table of file, has keys for. The problems are paths that mean nothing, and keys that exclude
// each other.
func Apply(file *config.File, flags []*kong.Flag, t config.Table) (found config.Problems) {
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
func (r *Resolver) give(flags, from []*kong.Flag) {
	for _, f := range flags {
		i := slices.IndexFunc(from, func(g *kong.Flag) bool { return g.Name == f.Name })
		if i < 0 || r.Given[f.Name] == ByNothing {
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
