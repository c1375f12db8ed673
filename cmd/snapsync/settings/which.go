package settings

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Specs returns the mappings that a command line means: the one of --remote, the one of -m, or all of the
// config file; of these, if src is given, those with that source. What given says by a flag or a
// variable wins over the file. The file is read anew each time.
//
// Values that mean nothing are refused here, for all mappings of the file; what depends on the world
// around, such as a source that is not mounted, is left to Prepare, for each mapping by itself.
func (r *Resolver) Specs(given *Spec) ([]Spec, error) {
	which := *given
	if err := r.decide(&which.Target, which.Src, ByFlag); err != nil {
		return nil, err
	}
	if which.Remote != "" {
		return []Spec{which}, nil
	}
	file, err := r.needFile(&which.Target)
	if err != nil {
		return nil, err
	}
	all, err := r.SpecsOf(file, given)
	if err != nil {
		return nil, err
	}
	if err := r.Together(file, all); err != nil {
		return nil, err
	}
	return Pick(file, all, &which)
}

// decide finds out which of -m, --remote and a source, which srcBy set, is meant: a flag wins over a variable.
func (r *Resolver) decide(t *Target, src string, srcBy Origin) error {
	if src != "" && srcBy > r.Given["mapping"] {
		t.Mapping = ""
	}
	if t.Mapping == "" {
		return nil
	}
	if src != "" {
		return exit.Usage("leave out one of them", "mapping %q has its source in the config file, and %s is given", t.Mapping, text.Path(src))
	}
	if t.Remote == "" {
		return nil
	}
	switch by, other := r.Given["mapping"], r.Given["remote"]; {
	case by > other:
		t.Remote = ""
	case by < other:
		t.Mapping = ""
	default:
		return exit.Usage("leave out one of them", "mapping %q has its remote in the config file, and --remote is given", t.Mapping)
	}
	return nil
}

// needFile returns the config file, with a mapping in it.
func (r *Resolver) needFile(t *Target) (*config.File, error) {
	file, err := r.ConfigFile()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil && t.Mapping != "":
		return nil, exit.Usage("'snapsync config init' makes it, or name the source and the --remote instead",
			"mapping %q: there is no config file of mappings yet", t.Mapping)
	case err != nil:
		return nil, t.check()
	case len(file.Mappings) == 0:
		return nil, exit.Usage("'snapsync config init' adds one, or say where to with --remote", "no remote given, and %s has no mappings", text.Path(file.Path))
	}
	return file, nil
}

// Pick keeps of all, the mappings of file, those that which names; all may be overwritten.
func Pick(file *config.File, all []Spec, which *Spec) ([]Spec, error) {
	switch {
	case which.Mapping != "":
		if !slices.ContainsFunc(all, func(s Spec) bool { return s.Name == which.Mapping }) {
			return nil, noSuchMapping(file, which.Mapping)
		}
		all = slices.DeleteFunc(all, func(s Spec) bool { return s.Name != which.Mapping })
	case which.Src != "":
		source, err := mapping.RealPath(which.Src)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(s Spec) bool {
			real, err := mapping.RealPath(s.Src)
			return err != nil || real != source
		})
		if len(all) == 0 {
			return nil, exit.Usage("say where to with --remote, or write it down with 'snapsync config init'",
				"no remote given, and %s has no mapping of %s", text.Path(file.Path), text.Path(source))
		}
	}
	return all, nil
}

func noSuchMapping(file *config.File, name string) error {
	return exit.Usage("it has "+strings.Join(file.Names(), ", "), "there is no mapping %q in %s", name, text.Path(file.Path))
}
