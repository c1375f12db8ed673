package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Choose finds the one mapping that a command means. path is what the command is about; "": no path. Several are an error.
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

// Each runs fn for each mapping that a command means, see ForEach.
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

// Among finds the mappings that a command means, as Each does, among the candidates that were found already; these stay as they are.
func (r *Resolver) Among(candidates []*mapping.Mapping, sel *Selection, src, path string) ([]*mapping.Mapping, error) {
	found := sel.Narrow(candidates, src, path)
	for _, m := range found {
		if m.Err != nil && (m.Name == "" || len(found) == 1) {
			return nil, m.Err // it may be the one that is meant
		}
	}
	switch {
	case len(found) == 0:
		return nil, NoMapping(sel, src, "'snapsync run --once SRC --remote REMOTE' makes one; 'snapsync status' lists those that exist")
	case len(found) > 1 && slices.ContainsFunc(found, func(m *mapping.Mapping) bool { return m.Name == "" }):
		return nil, severalMatch(found)
	}
	if sel.Remote != "" && len(found) == 1 {
		found[0].Remote = sel.Remote // with the secrets that the state does not keep
	}
	return found, nil
}

func severalMatch(found []*mapping.Mapping) error {
	hint := "name one with --source and --remote"
	var list []string
	for _, m := range found {
		if m.Name != "" {
			hint = "name one with -m NAME, or with --source and --remote"
		}
		list = append(list, "  "+m.String())
	}
	return exit.Usage(hint, "several mappings match:\n%s", strings.Join(list, "\n"))
}

// NoMapping is the error of a command that finds none of the mappings that sel and src mean.
func NoMapping(sel *Selection, src, hint string) error {
	what := "in the state directory yet"
	switch {
	case src+sel.Source != "" && sel.Remote != "":
		what = "of " + text.Path(src+sel.Source) + " to this remote: it was never synced"
	case src+sel.Source != "":
		what = "of " + text.Path(src+sel.Source)
	case sel.Remote != "":
		what = "to this remote"
	}
	return &exit.Failure{Status: exit.StatusError, Err: errors.New("there is no mapping " + what), Hint: hint}
}

// Narrow returns those of found that a command means which is about path, or else about the working directory: the ones
// whose source contains it, if there are any; of several those of the config file, unless --remote is given. What sel and
// src name stands as it is. found is not changed.
func (sel *Selection) Narrow(found []*mapping.Mapping, src, path string) []*mapping.Mapping {
	found = slices.Clone(found)
	if sel.Source+src+sel.Mapping != "" {
		return found
	}
	keep := func(wanted func(*mapping.Mapping) bool) bool {
		if !slices.ContainsFunc(found, wanted) {
			return false
		}
		found = slices.DeleteFunc(found, func(m *mapping.Mapping) bool { return !wanted(m) })
		return true
	}
	around := func(path string) func(*mapping.Mapping) bool {
		return func(m *mapping.Mapping) bool {
			_, inside := mapping.Within(m.Source, path)
			return inside && m.Err == nil
		}
	}
	if path == "" || !keep(around(path)) {
		keep(around("."))
	}
	if sel.Remote == "" && len(found) > 1 {
		keep(func(m *mapping.Mapping) bool { return m.Name != "" })
	}
	return found
}
