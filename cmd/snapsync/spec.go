package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/engine"
)

// spec is one mapping as a person describes it: by flags, or by a table of the config file. It is what
// `run` needs to keep it true, and all that differs between mappings of one process. Two that
// reflect.DeepEqual finds equal need no restart.
type spec struct {
	name string // of the config file; "" if it was given by flags
	src  string
	target
	syncFlags
	guardFlags
	transferFlags
	watchFlags
}

// flags are the flags of a mapping; their targets are the fields of s.
func (s *spec) flags() []*kong.Flag {
	return flagsOf(&s.syncFlags, &s.guardFlags, &s.transferFlags, &s.watchFlags)
}

// specs returns the mappings that a command line means: the one of --remote, the one of -m, or all of the
// config file; of these, if src is given, those with that source. What given says by a flag or a
// variable wins over the file. The file is read anew each time.
//
// Values that mean nothing are refused here, for all mappings of the file; what depends on the world
// around, such as a source that is not mounted, is left to prepare, for each mapping by itself.
func (a *app) specs(given *spec) ([]spec, error) {
	which := *given
	if err := a.decide(&which.target, which.src, byFlag); err != nil {
		return nil, err
	}
	if which.Remote != "" {
		return []spec{which}, nil
	}
	file, err := a.needFile(&which.target)
	if err != nil {
		return nil, err
	}
	all, err := a.specsOf(file, given)
	if err != nil {
		return nil, err
	}
	if err := a.together(file, all); err != nil {
		return nil, err
	}
	return pick(file, all, &which)
}

// decide settles which of -m, --remote and a source, which srcBy set, is meant: a flag wins over a variable.
func (a *app) decide(t *target, src string, srcBy origin) error {
	if src != "" && srcBy > a.given["mapping"] {
		t.Mapping = ""
	}
	if t.Mapping == "" {
		return nil
	}
	if src != "" {
		return usage("leave out one of them", "mapping %q has its source in the config file, and %s is given", t.Mapping, show(src))
	}
	if t.Remote == "" {
		return nil
	}
	switch by, other := a.given["mapping"], a.given["remote"]; {
	case by > other:
		t.Remote = ""
	case by < other:
		t.Mapping = ""
	default:
		return usage("leave out one of them", "mapping %q has its remote in the config file, and --remote is given", t.Mapping)
	}
	return nil
}

// needFile returns the config file, with a mapping in it.
func (a *app) needFile(t *target) (*config.File, error) {
	file, err := a.configFile()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil && t.Mapping != "":
		return nil, usage("'snapsync config init' makes it, or name the source and the --remote instead",
			"mapping %q: there is no config file of mappings yet", t.Mapping)
	case err != nil:
		return nil, t.check()
	case len(file.Mappings) == 0:
		return nil, usage("'snapsync config init' adds one, or say where to with --remote", "no remote given, and %s has no mappings", show(file.Path))
	}
	return file, nil
}

// pick keeps the mappings that were named.
func pick(file *config.File, all []spec, which *spec) ([]spec, error) {
	switch {
	case which.Mapping != "":
		if !slices.ContainsFunc(all, func(s spec) bool { return s.name == which.Mapping }) {
			return nil, noSuchMapping(file, which.Mapping)
		}
		all = slices.DeleteFunc(all, func(s spec) bool { return s.name != which.Mapping })
	case which.src != "":
		source, err := realPath(which.src)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(s spec) bool { return !sameSource(s.src, source) })
		if len(all) == 0 {
			return nil, usage("say where to with --remote, or write it down with 'snapsync config init'",
				"no remote given, and %s has no mapping of %s", show(file.Path), show(source))
		}
	}
	return all, nil
}

// sameSource reports whether src, which need not exist, is the real path source.
func sameSource(src, source string) bool {
	real, err := realPath(src)
	return err == nil && real == source
}

func noSuchMapping(file *config.File, name string) error {
	return usage("it has "+strings.Join(file.Names(), ", "), "there is no mapping %q in %s", name, show(file.Path))
}

// prepareSpec is prepare for a spec.
func (a *app) prepareSpec(s *spec) (*mapping, engine.Config, error) {
	m, c, err := a.prepare(s.src, &s.target, &s.syncFlags, &s.guardFlags, &s.transferFlags)
	if err == nil {
		a.describe(m, s)
	}
	return m, c, err
}

// describe notes that m is a mapping of the config file, if it is.
func (a *app) describe(m *mapping, s *spec) {
	if s.name == "" {
		return
	}
	m.spec, m.handle = s, "-m "+shellWord(s.name)
	if a.Mappings != "" {
		m.handle = "--mappings " + shellWord(a.Mappings) + " " + m.handle
	}
}

// inTurn runs fn for each mapping. Of several, what goes wrong with one is reported and does not stop the
// others; the exit status is the most severe.
func inTurn[T any](a *app, all []T, name func(T) string, fn func(T) error) error {
	if len(all) == 1 {
		return fn(all[0])
	}
	worst := statusOK
	for i, one := range all {
		a.turn = i + 1
		err := fn(one)
		if err != nil && a.ctx.Err() != nil {
			return err
		}
		worst = worse(worst, reportNamed(a.stderr, name(one), err))
	}
	return quiet(worst)
}

// mappingJSON precedes what several mappings have to say.
type mappingJSON struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping"`
	Source  string `json:"source"`
	Remote  string `json:"remote"`
}

// heading sets what is shown of several mappings apart; of one there is none.
func (a *app) heading(m *mapping) {
	switch {
	case a.turn == 0:
	case a.JSON:
		writeJSON(a.stdout, mappingJSON{"mapping", m.label(), m.source, m.display})
	case a.turn > 1:
		fmt.Fprintf(a.stdout, "\n%s\n", m)
	default:
		fmt.Fprintln(a.stdout, m)
	}
}

func specName(s *spec) string { return s.name }

// pointers returns the addresses of all.
func pointers(all []spec) []*spec {
	var out []*spec
	for i := range all {
		out = append(out, &all[i])
	}
	return out
}

// together refuses mappings that undo each other's work: two with the same source and remote, two that
// write to the same place, and those that feed each other in a circle.
func (a *app) together(file *config.File, all []spec) error {
	if len(all) > 1 {
		if err := a.startRclone(); err != nil {
			return err
		}
	}
	var places []whereabouts
	for i := range all {
		places = append(places, whereaboutsOf(file, &all[i]))
	}
	var found config.Problems
	for j := range places {
		for i := range places[:j] {
			if err := places[i].clash(&places[j]); err != nil {
				found = append(found, file.Problem(places[j].line(), "%w", err))
			}
		}
	}
	if len(found) == 0 {
		found = circle(file, places)
	}
	return asUsage(found.Err())
}

// whereabouts is where a mapping reads and writes.
type whereabouts struct {
	*spec
	table  *config.Mapping
	source string // real
	key    string // of the remote
	place
}

func whereaboutsOf(file *config.File, s *spec) whereabouts {
	w := whereabouts{spec: s, table: file.Mapping(s.name)}
	w.source, _ = realPath(s.src) // "" if it cannot be found, which prepare says
	w.key, _, _ = backends.Canonical(s.Remote)
	w.place, _, _ = placeOf(s.Remote)
	return w
}

func (w *whereabouts) line() config.Position { return w.table.At }

func (w *whereabouts) String() string { return fmt.Sprintf("%q (line %d)", w.name, w.line().Line) }

// clash says why two mappings cannot both be kept true.
func (w *whereabouts) clash(v *whereabouts) error {
	if !w.overlaps(v.place) {
		return nil
	}
	outer, inner := w, v
	if len(strings.Trim(v.path, "/")) < len(strings.Trim(w.path, "/")) {
		outer, inner = v, w
	}
	rel := strings.Trim(strings.TrimPrefix(strings.Trim(inner.path, "/"), strings.Trim(outer.path, "/")), "/")
	switch {
	case w.source == v.source && w.key == v.key:
		return fmt.Errorf("mappings %s and %s have the same source and the same remote: remove one", w, v)
	case rel == "":
		return fmt.Errorf("mappings %s and %s have the same remote: each would replace what the other sent; give each a directory of its own", w, v)
	case outer.CompleteSync && !outer.leavesOut(rel):
		return fmt.Errorf("the remote of mapping %s is inside that of %s, which would delete it (complete-sync): add \"/%s/**\" to the exclude list of %q",
			inner, outer, rel, outer.name)
	}
	return nil
}

// leavesOut reports whether the filter of a mapping excludes a directory.
func (w *whereabouts) leavesOut(dir string) bool {
	filter, err := w.mirrored()
	return err == nil && filter != nil && !filter.Dir(dir)
}

// circle finds mappings of which each writes into the source of the next, and the last one into that of
// the first: a change would go round for ever.
func circle(file *config.File, all []whereabouts) config.Problems {
	var trail []int
	var visit func(i int) config.Problems
	done := map[int]bool{}
	visit = func(i int) config.Problems {
		if at := slices.Index(trail, i); at >= 0 {
			return config.Problems{circleProblem(file, all, trail[at:])}
		}
		if done[i] {
			return nil
		}
		done[i] = true
		trail = append(trail, i)
		defer func() { trail = trail[:len(trail)-1] }()
		for j := range all {
			if i != j && feeds(all[i].Remote, all[j].source) {
				if found := visit(j); found != nil {
					return found
				}
			}
		}
		return nil
	}
	for i := range all {
		if found := visit(i); found != nil {
			return found
		}
	}
	return nil
}

// feeds reports whether remote and source overlap. One that cannot be looked through is prepare's.
func feeds(remote, source string) bool {
	err := backends.Overlaps(source, remote)
	return err != nil && !errors.Is(err, engine.ErrFatal) && errors.Unwrap(err) == nil
}

func circleProblem(file *config.File, all []whereabouts, ring []int) *config.Problem {
	var names []string
	last := all[ring[0]].line()
	for _, i := range ring {
		names = append(names, all[i].String())
		if at := all[i].line(); at.Line > last.Line {
			last = at
		}
	}
	return file.Problem(last, "mappings %s feed each other: the remote of each overlaps the source of the next, so that changes go round for ever; remove one",
		strings.Join(names, " and "))
}
