package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// choose finds the one mapping that a command means. path is what the command is about; empty if about
// no path.
func (a *app) choose(sel *selection, src, path string) (*mapping, error) {
	found, err := a.chosen(sel, src, path)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, severalMatch(found)
	}
	return found[0], nil
}

// each runs fn for each mapping that a command means, see inTurn. What several print is set apart.
func (a *app) each(sel *selection, src, path string, fn func(*mapping) error) error {
	found, err := a.chosen(sel, src, path)
	if err != nil {
		return err
	}
	return inTurn(a, found, (*mapping).label, fn)
}

// chosen finds the mappings that a command means: by what it names, else by where it stands, else those
// of the config file, else the only one there is. There is one at least, and several only if the config
// file has them all.
func (a *app) chosen(sel *selection, src, path string) ([]*mapping, error) {
	found, err := a.candidates(sel, src)
	if err != nil {
		return nil, err
	}
	return a.among(found, sel, src, path)
}

// among is chosen among the candidates that were found already, which stay as they are.
func (a *app) among(candidates []*mapping, sel *selection, src, path string) ([]*mapping, error) {
	found := slices.Clone(candidates)
	if named := sel.Source+src+sel.Mapping != ""; !named {
		found = configured(narrow(found, path), sel.Remote == "")
	}
	for _, m := range found {
		if m.err != nil && (m.spec == nil || len(found) == 1) {
			return nil, m.err // it may be the one that is meant
		}
	}
	switch {
	case len(found) == 0:
		return nil, &exit.Failure{
			Status: exit.StatusError, Err: errNoMapping(sel, src),
			Hint: "'snapsync run --once SRC --remote REMOTE' makes one; 'snapsync status' lists those that exist",
		}
	case len(found) > 1 && slices.ContainsFunc(found, func(m *mapping) bool { return m.spec == nil }):
		return nil, severalMatch(found)
	}
	if sel.Remote != "" && len(found) == 1 {
		found[0].open = sel.Remote // with the secrets that the state does not keep
	}
	return found, nil
}

// configured keeps of several mappings, if want, those of the config file, should any be there.
func configured(found []*mapping, want bool) []*mapping {
	inFile := func(m *mapping) bool { return m.spec != nil }
	if !want || len(found) < 2 || !slices.ContainsFunc(found, inFile) {
		return found
	}
	return slices.DeleteFunc(found, func(m *mapping) bool { return !inFile(m) })
}

func severalMatch(found []*mapping) error {
	hint := "name one with --source and --remote"
	if slices.ContainsFunc(found, func(m *mapping) bool { return m.spec != nil }) {
		hint = "name one with -m NAME, or with --source and --remote"
	}
	return exit.Usage(hint, "several mappings match:\n%s", listed(found))
}

type noMappingError struct{ what string }

func (e noMappingError) Error() string { return "there is no mapping " + e.what }

func errNoMapping(sel *selection, src string) error {
	switch {
	case src+sel.Source != "" && sel.Remote != "":
		return noMappingError{"of " + show(src+sel.Source) + " to this remote: it was never synced"}
	case src+sel.Source != "":
		return noMappingError{"of " + show(src+sel.Source)}
	case sel.Remote != "":
		return noMappingError{"to this remote"}
	}
	return noMappingError{"in the state directory yet"}
}

// candidates are the mappings with the name, or the source and the remote, that were given, and those
// that cannot be read and may have them.
func (a *app) candidates(sel *selection, src string) ([]*mapping, error) {
	if src != "" && sel.Source != "" {
		return nil, exit.Usage("", "the source is named twice: %s and --source %s", show(src), show(sel.Source))
	}
	srcBy := byFlag
	if src == "" {
		srcBy = a.given["source"]
	}
	if err := a.decide(&sel.target, src+sel.Source, srcBy); err != nil {
		return nil, err
	}
	all, err := a.known()
	if err != nil {
		return nil, err
	}
	if sel.Mapping != "" {
		return a.withName(all, &sel.target)
	}
	source, key := "", ""
	if src+sel.Source != "" {
		if source, err = realPath(src + sel.Source); err != nil { // it may be gone by now
			return nil, err
		}
	}
	if sel.Remote != "" {
		if key, _, err = rclone.Canonical(sel.Remote); err != nil {
			return nil, &exit.Failure{Status: exit.StatusUsage, Err: err}
		}
	}
	return slices.DeleteFunc(all, func(m *mapping) bool { return !m.matches(source, key) }), nil
}

// withName keeps the mapping of the config file that -m names.
func (a *app) withName(all []*mapping, t *target) ([]*mapping, error) {
	for _, m := range all {
		if m.spec != nil && m.spec.name == t.Mapping {
			return []*mapping{m}, nil
		}
	}
	file, err := a.needFile(t)
	if err != nil {
		return nil, err
	}
	return nil, noSuchMapping(file, t.Mapping)
}

// known are the mappings of the config file, in its order, and then those that only have state.
func (a *app) known() ([]*mapping, error) {
	all, err := a.mappings()
	if err != nil {
		return nil, err
	}
	if a.withoutFile {
		return all, nil
	}
	file, err := a.configFile()
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	specs, err := a.specsOf(file, &spec{})
	if err != nil {
		return nil, err
	}
	root, err := a.stateRoot()
	if err != nil {
		return nil, err
	}
	var written []*mapping
	for i := range specs {
		s := &specs[i]
		source, err := realPath(s.src)
		if err != nil {
			return nil, err
		}
		m, err := newMapping(root, source, s.Remote)
		if err != nil {
			return nil, err
		}
		a.describe(m, s)
		if i := slices.IndexFunc(all, func(o *mapping) bool { return o.name == m.name }); i >= 0 {
			m.err = all[i].err
			all = slices.Delete(all, i, i+1)
		}
		written = append(written, m)
	}
	return append(written, all...), nil
}

// matches reports whether the mapping has this source and this remote; empty means any.
func (m *mapping) matches(source, key string) bool {
	if m.err != nil && m.spec == nil {
		return m.mayBe(source, key)
	}
	return (source == "" || m.source == source) && (key == "" || m.remote == key)
}

// narrow keeps the mappings whose source contains path, or else the working directory, if there are any.
func narrow(found []*mapping, path string) []*mapping {
	places := []string{"."}
	if path != "" {
		places = []string{path, "."}
	}
	for _, place := range places {
		var kept []*mapping
		for _, m := range found {
			if _, ok := within(m.source, place); ok && m.err == nil {
				kept = append(kept, m)
			}
		}
		if len(kept) > 0 {
			return kept
		}
	}
	return found
}

// within returns the path of place relative to source in the journal's form, and whether it is there.
// The last element is not followed: it may be a symlink that is mirrored as such.
func within(source, place string) (string, bool) {
	abs, err := filepath.Abs(place)
	if err != nil {
		return "", false
	}
	if abs == source {
		return "", true
	}
	parent, err := realPath(filepath.Dir(abs))
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(source, filepath.Join(parent, filepath.Base(abs)))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return whole(source, abs)
	}
	if rel == "." {
		return "", true
	}
	return filepath.ToSlash(rel), true
}

// whole handles a place that is a symlink to the source itself.
func whole(source, abs string) (string, bool) {
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", false
	}
	if real == source {
		return "", true
	}
	rel, err := filepath.Rel(source, real)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// pathIn translates what a person typed into a path of the mapping: as seen from the working
// directory, or, if that leads out of the source and the working directory is not in it either, as
// seen from the source.
func (m *mapping) pathIn(typed string) (string, error) {
	if typed == "" {
		return "", nil
	}
	if rel, ok := within(m.source, typed); ok {
		return rel, nil
	}
	rel := filepath.ToSlash(filepath.Clean(typed))
	if _, inside := within(m.source, "."); inside || filepath.IsAbs(typed) || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", exit.Usage("", "%s is not inside the source %s", show(typed), show(m.source))
	}
	return rel, nil
}

func listed(ms []*mapping) string {
	var b strings.Builder
	for i, m := range ms {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("  " + m.String())
	}
	return b.String()
}
