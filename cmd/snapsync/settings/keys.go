package settings

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
)

// Origin says what set a flag. A later one wins over an earlier one.
type Origin int

const (
	ByNothing  Origin = iota // its default, or the config file
	ByVariable               // of the environment
	ByFlag
)

// GivenFlags tells which flags were set from outside, by name.
func GivenFlags(parsed *kong.Context) map[string]Origin {
	given := map[string]Origin{}
	for _, f := range parsed.Flags() {
		for _, name := range f.Envs {
			if _, set := os.LookupEnv(name); set {
				given[f.Name] = ByVariable
			}
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

// Schema is the keys of the config file: the flags of `run` and of every command.
func (r *Resolver) Schema() *config.Schema {
	return schemaOf(r.Model)
}

func schemaOf(model *kong.Application) *config.Schema {
	s := &config.Schema{}
	for _, f := range model.Flags {
		if f.Tag.Get("config") != "-" && f.Name != "help" {
			s.Process = append(s.Process, keyOf(f))
		}
	}
	ofMappings := FlagsOf(&SyncFlags{}, &GuardFlags{}, &TransferFlags{}, &WatchFlags{})
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

func FlagNamed(flags []*kong.Flag, name string) *kong.Flag {
	for _, f := range flags {
		if f.Name == name {
			return f
		}
	}
	return nil
}
