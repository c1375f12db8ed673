package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/backends"
)

// choose finds the one mapping that a command means: by what it names, else by where it stands, else
// the only one there is. path is what the command is about; empty if about no path.
func (a *app) choose(sel *selection, src, path string) (*mapping, error) {
	found, err := a.candidates(sel, src)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 && sel.Source == "" && src == "" {
		found = narrow(found, path)
	}
	for _, m := range found {
		if m.err != nil {
			return nil, m.err // it may be the one that is meant
		}
	}
	switch len(found) {
	case 1:
		if sel.Remote != "" {
			found[0].open = sel.Remote // with the secrets that the state does not keep
		}
		return found[0], nil
	case 0:
		return nil, &failure{
			status: statusError, err: errNoMapping(sel, src),
			hint: "'snapsync run --once SRC --remote REMOTE' makes one; 'snapsync status' lists those that exist",
		}
	}
	return nil, usage("name one with --source and --remote", "several mappings match:\n%s", listed(found))
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

// candidates are the mappings with the source and the remote that were named, and those that cannot be
// read and may have them.
func (a *app) candidates(sel *selection, src string) ([]*mapping, error) {
	if err := sel.noMapping(); err != nil {
		return nil, err
	}
	if src != "" && sel.Source != "" {
		return nil, usage("", "the source is named twice: %s and --source %s", show(src), show(sel.Source))
	}
	all, err := a.mappings()
	if err != nil {
		return nil, err
	}
	source, key := "", ""
	if src+sel.Source != "" {
		if source, err = realPath(src + sel.Source); err != nil { // it may be gone by now
			return nil, err
		}
	}
	if sel.Remote != "" {
		if key, _, err = backends.Canonical(sel.Remote); err != nil {
			return nil, &failure{status: statusUsage, err: err}
		}
	}
	return slices.DeleteFunc(all, func(m *mapping) bool { return !m.matches(source, key) }), nil
}

// matches reports whether the mapping has this source and this remote; empty means any.
func (m *mapping) matches(source, key string) bool {
	if m.err != nil {
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
		return "", usage("", "%s is not inside the source %s", show(typed), show(m.source))
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
