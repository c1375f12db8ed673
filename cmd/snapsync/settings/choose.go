package settings

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Choose finds the one mapping that a command means. path is what the command is about; empty if about
// no path.
func (r *Resolver) Choose(sel *Selection, src, path string) (*mapping.Mapping, error) {
	found, err := r.chosen(sel, src, path)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, severalMatch(found)
	}
	return found[0], nil
}

// Each runs fn for each mapping that a command means, see ForEach. What several print is set apart.
func (r *Resolver) Each(sel *Selection, src, path string, fn func(*mapping.Mapping) error) error {
	found, err := r.chosen(sel, src, path)
	if err != nil {
		return err
	}
	return ForEach(r.Ctx, r.Printer, found, (*mapping.Mapping).Label, fn)
}

// chosen finds the mappings that a command means: by what it names, else by where it stands, else those
// of the config file, else the only one there is. There is one at least, and several only if the config
// file has them all.
func (r *Resolver) chosen(sel *Selection, src, path string) ([]*mapping.Mapping, error) {
	found, err := r.Candidates(sel, src)
	if err != nil {
		return nil, err
	}
	return r.Among(found, sel, src, path)
}

// Among is chosen among the candidates that were found already, which stay as they are.
func (r *Resolver) Among(candidates []*mapping.Mapping, sel *Selection, src, path string) ([]*mapping.Mapping, error) {
	found := slices.Clone(candidates)
	if named := sel.Source+src+sel.Mapping != ""; !named {
		found = Configured(Narrow(found, path), sel.Remote == "")
	}
	for _, m := range found {
		if m.Err != nil && (m.Name == "" || len(found) == 1) {
			return nil, m.Err // it may be the one that is meant
		}
	}
	switch {
	case len(found) == 0:
		return nil, &exit.Failure{
			Status: exit.StatusError, Err: ErrNoMapping(sel, src),
			Hint: "'snapsync run --once SRC --remote REMOTE' makes one; 'snapsync status' lists those that exist",
		}
	case len(found) > 1 && slices.ContainsFunc(found, func(m *mapping.Mapping) bool { return m.Name == "" }):
		return nil, severalMatch(found)
	}
	if sel.Remote != "" && len(found) == 1 {
		found[0].Remote = sel.Remote // with the secrets that the state does not keep
	}
	return found, nil
}

// Configured keeps of several mappings, if want, those of the config file, should any be there.
func Configured(found []*mapping.Mapping, want bool) []*mapping.Mapping {
	inFile := func(m *mapping.Mapping) bool { return m.Name != "" }
	if !want || len(found) < 2 || !slices.ContainsFunc(found, inFile) {
		return found
	}
	return slices.DeleteFunc(found, func(m *mapping.Mapping) bool { return !inFile(m) })
}

func severalMatch(found []*mapping.Mapping) error {
	hint := "name one with --source and --remote"
	if slices.ContainsFunc(found, func(m *mapping.Mapping) bool { return m.Name != "" }) {
		hint = "name one with -m NAME, or with --source and --remote"
	}
	return exit.Usage(hint, "several mappings match:\n%s", mapping.Listed(found))
}

type noMappingError struct{ what string }

func (e noMappingError) Error() string { return "there is no mapping " + e.what }

func ErrNoMapping(sel *Selection, src string) error {
	switch {
	case src+sel.Source != "" && sel.Remote != "":
		return noMappingError{"of " + text.Path(src+sel.Source) + " to this remote: it was never synced"}
	case src+sel.Source != "":
		return noMappingError{"of " + text.Path(src+sel.Source)}
	case sel.Remote != "":
		return noMappingError{"to this remote"}
	}
	return noMappingError{"in the state directory yet"}
}

// Candidates are the mappings with the name, or the source and the remote, that were given, and those
// that cannot be read and may have them.
func (r *Resolver) Candidates(sel *Selection, src string) ([]*mapping.Mapping, error) {
	if src != "" && sel.Source != "" {
		return nil, exit.Usage("", "the source is named twice: %s and --source %s", text.Path(src), text.Path(sel.Source))
	}
	srcBy := ByFlag
	if src == "" {
		srcBy = r.Given["source"]
	}
	if err := r.decide(&sel.Target, src+sel.Source, srcBy); err != nil {
		return nil, err
	}
	all, err := r.known()
	if err != nil {
		return nil, err
	}
	if sel.Mapping != "" {
		return r.withName(all, &sel.Target)
	}
	source, key := "", ""
	if src+sel.Source != "" {
		if source, err = mapping.RealPath(src + sel.Source); err != nil { // it may be gone by now
			return nil, err
		}
	}
	if sel.Remote != "" {
		if key, _, err = rclone.Canonical(sel.Remote); err != nil {
			return nil, &exit.Failure{Status: exit.StatusUsage, Err: err}
		}
	}
	return slices.DeleteFunc(all, func(m *mapping.Mapping) bool { return !m.Matches(source, key) }), nil
}

// withName keeps the mapping of the config file that -m names.
func (r *Resolver) withName(all []*mapping.Mapping, t *Target) ([]*mapping.Mapping, error) {
	for _, m := range all {
		if m.Name != "" && m.Name == t.Mapping {
			return []*mapping.Mapping{m}, nil
		}
	}
	file, err := r.needFile(t)
	if err != nil {
		return nil, err
	}
	return nil, noSuchMapping(file, t.Mapping)
}

// known are the mappings of the config file, in its order, and then those that only have state.
func (r *Resolver) known() ([]*mapping.Mapping, error) {
	states, err := r.States()
	if err != nil {
		return nil, err
	}
	all, err := states.List()
	if err != nil {
		return nil, err
	}
	if r.WithoutFile {
		return all, nil
	}
	file, err := r.ConfigFile()
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	specs, err := r.SpecsOf(file, &Spec{})
	if err != nil {
		return nil, err
	}
	r.written = make(map[string]*Spec)
	var written []*mapping.Mapping
	for i := range specs {
		s := &specs[i]
		source, err := mapping.RealPath(s.Src)
		if err != nil {
			return nil, err
		}
		m, err := states.At(source, s.Remote)
		if err != nil {
			return nil, err
		}
		r.describe(m, s)
		r.written[m.ID] = s
		if i := slices.IndexFunc(all, func(o *mapping.Mapping) bool { return o.ID == m.ID }); i >= 0 {
			m.Err = all[i].Err
			all = slices.Delete(all, i, i+1)
		}
		written = append(written, m)
	}
	return append(written, all...), nil
}

// Narrow keeps the mappings whose source contains path, or else the working directory, if there are any.
func Narrow(found []*mapping.Mapping, path string) []*mapping.Mapping {
	places := []string{"."}
	if path != "" {
		places = []string{path, "."}
	}
	for _, place := range places {
		var kept []*mapping.Mapping
		for _, m := range found {
			if _, ok := mapping.Within(m.Source, place); ok && m.Err == nil {
				kept = append(kept, m)
			}
		}
		if len(kept) > 0 {
			return kept
		}
	}
	return found
}
