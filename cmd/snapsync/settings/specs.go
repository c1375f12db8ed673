package settings

import (
	"path/filepath"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
)

// SpecsOf returns the mappings of the file, each with what was given from outside.
func (r *Resolver) SpecsOf(file *config.File, given *Spec) ([]Spec, error) {
	var all []Spec
	var found config.Problems
	for i := range file.Mappings {
		s, problems := r.specOf(file, &file.Mappings[i], given)
		all, found = append(all, s), append(found, problems...)
	}
	return all, AsUsage(unique(found).Err())
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
func (r *Resolver) specOf(file *config.File, m *config.Mapping, given *Spec) (Spec, config.Problems) {
	s := Spec{Name: m.Name, Target: Target{Mapping: m.Name}}
	flags := s.Flags()
	for _, f := range flags {
		SetDefault(f)
	}
	var found config.Problems
	for _, t := range []config.Table{file.Defaults, m.Options} {
		found = append(found, r.Apply(file, flags, t)...)
	}
	r.give(flags, given.Flags())
	s.Bwlimit = given.Bwlimit // the process's, wherever it comes from

	problem := func(key string, err error) {
		if err != nil {
			found = append(found, file.Problem(file.Find(m, key), "%s: %w", key, err))
		}
	}
	var err error
	s.Src, err = Directory(m.Source)
	problem("source", err)
	s.Remote, err = RemoteOf(m.Remote)
	problem("remote", err)
	for _, c := range valueChecks {
		if len(found) == 0 {
			problem(c.key, c.check(&s))
		}
	}
	if key, err := s.wrongTime(); len(found) == 0 {
		problem(key, err)
	}
	return s, found
}

// valueChecks refuse what a key cannot mean.
var valueChecks = []struct {
	key   string
	check func(*Spec) error
}{
	{"max-delete", func(s *Spec) error { _, err := s.limit(); return err }},
	{"transfers", func(s *Spec) error { _, err := s.parallel(); return err }},
	{"retries", func(s *Spec) error { return s.attempts() }},
}

// Apply sets the flags that t has keys for. The problems are paths that mean nothing, and keys that
// exclude each other.
func (r *Resolver) Apply(file *config.File, flags []*kong.Flag, t config.Table) (found config.Problems) {
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
