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

// Candidates returns the mappings with the name, or the source and the remote, that were given, and those that cannot be read and
// may have them; without any of these all mappings.
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
