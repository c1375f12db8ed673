package settings

import (
	"slices"

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
		found = append(found, Apply(file, flags, t)...)
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
