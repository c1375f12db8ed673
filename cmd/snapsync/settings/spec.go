package settings

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
)

// Spec is one mapping as a person describes it: by flags, or by a table of the config file. It is what
// `run` needs to keep it true, and all that differs between mappings of one process. Two that
// reflect.DeepEqual finds equal need no restart.
type Spec struct {
	Name string // of the config file; "" if it was given by flags
	Src  string
	Target
	SyncFlags
	GuardFlags
	TransferFlags
	WatchFlags
}

// Flags are the flags of a mapping; their targets are the fields of s.
func (s *Spec) Flags() []*kong.Flag {
	return FlagsOf(&s.SyncFlags, &s.GuardFlags, &s.TransferFlags, &s.WatchFlags)
}

// Specs returns the mappings that a command line means: the one of --remote, the one of -m, or all of the
// config file; of these, if src is given, those with that source. What given says by a flag or a
// variable wins over the file. The file is read anew each time.
//
// Values that mean nothing are refused here, for all mappings of the file; what depends on the world
// around, such as a source that is not mounted, is left to prepare, for each mapping by itself.
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

// decide settles which of -m, --remote and a source, which srcBy set, is meant: a flag wins over a variable.
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

// Pick keeps the mappings that were named.
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
		all = slices.DeleteFunc(all, func(s Spec) bool { return !sameSource(s.Src, source) })
		if len(all) == 0 {
			return nil, exit.Usage("say where to with --remote, or write it down with 'snapsync config init'",
				"no remote given, and %s has no mapping of %s", text.Path(file.Path), text.Path(source))
		}
	}
	return all, nil
}

// sameSource reports whether src, which need not exist, is the real path source.
func sameSource(src, source string) bool {
	real, err := mapping.RealPath(src)
	return err == nil && real == source
}

func noSuchMapping(file *config.File, name string) error {
	return exit.Usage("it has "+strings.Join(file.Names(), ", "), "there is no mapping %q in %s", name, text.Path(file.Path))
}

// wrongTime refuses what cannot be a time to wait. Of interval, what is below 0 means never.
func (s *Spec) wrongTime() (key string, err error) {
	for _, t := range []struct {
		key  string
		time time.Duration
	}{
		{"settle", s.Settle}, {"settle-max", s.SettleMax}, {"delete-delay", s.DeleteDelay}, {"probe-min", s.ProbeMin}, {"probe-max", s.ProbeMax},
		{"poll-interval", s.PollInterval}, {"upload-age", s.UploadAge},
	} {
		if t.time < 0 {
			return t.key, exit.Usage("", "%s %v: want a time from 0 up", t.key, t.time)
		}
	}
	if s.ProbeMax > 0 && s.ProbeMin > s.ProbeMax {
		return "probe-min", exit.Usage("set both", "probe-min %v is more than probe-max %v", s.ProbeMin, s.ProbeMax)
	}
	return "", nil
}

// Prepare is the mapping that a spec means, and what its flags mean for the engine. All that can be refused is refused
// here, before anything is created.
func (r *Resolver) Prepare(s *Spec) (*mapping.Mapping, engine.Config, error) {
	if _, err := s.wrongTime(); err != nil {
		return nil, engine.Config{}, err
	}
	m, err := r.MappingFor(s.Src, &s.Target)
	if err != nil {
		return nil, engine.Config{}, err
	}
	if err := r.CheckPlaces(m, &s.SyncFlags); err != nil {
		return nil, engine.Config{}, err
	}
	config, err := r.EngineConfig(m, &s.SyncFlags, &s.TransferFlags)
	if err != nil {
		return nil, engine.Config{}, err
	}
	if err := tune(&config, &s.GuardFlags, &s.TransferFlags); err != nil {
		return nil, engine.Config{}, err
	}
	r.describe(m, s)
	return m, config, nil
}

// describe notes that m is a mapping of the config file, if it is.
func (r *Resolver) describe(m *mapping.Mapping, s *Spec) {
	if s.Name == "" {
		return
	}
	m.Name, m.Handle = s.Name, "-m "+text.ShellWord(s.Name)
	if r.Mappings != "" {
		m.Handle = "--mappings " + text.ShellWord(r.Mappings) + " " + m.Handle
	}
}
