package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/engine/remote"
)

// Together refuses mappings that undo each other's work: two with the same source and remote, two that
// write to the same place, and those that feed each other in a circle.
func (r *Resolver) Together(file *config.File, all []Spec) error {
	if len(all) > 1 {
		if err := r.StartRclone(); err != nil {
			return err
		}
	}
	var places []whereabouts
	for i := range all {
		w, ok := mapping.WithTimeout(func() whereabouts {
			w := whereabouts{Spec: &all[i], table: file.Mapping(all[i].Name)}
			w.source, _ = mapping.RealPath(w.Src) // "" if it cannot be found, which Prepare says
			w.key, _, _ = rclone.Canonical(w.Remote)
			w.at, _, _ = mapping.Locate(w.Remote)
			return w
		})
		if !ok {
			r.Log.Warn("its source or its remote does not answer: it is not compared with the others", "mapping", all[i].Name)
			continue
		}
		places = append(places, w)
	}
	var found config.Problems
	for j := range places {
		for i := range places[:j] {
			if err := places[i].clash(&places[j]); err != nil {
				found = append(found, file.Problem(places[j].table.At, "%w", err))
			}
		}
	}
	if len(found) == 0 {
		found = circle(file, places)
	}
	return AsUsage(found.Err())
}

// whereabouts is where a mapping reads and writes.
type whereabouts struct {
	*Spec
	table  *config.Mapping
	source string // real
	key    string // of the remote
	at     mapping.Location
}

func (w *whereabouts) String() string { return fmt.Sprintf("%q (line %d)", w.Name, w.table.At.Line) }

// clash says why two mappings cannot both be kept true.
func (w *whereabouts) clash(v *whereabouts) error {
	if !w.at.Overlaps(v.at) {
		return nil
	}
	outer, inner := w, v
	if len(strings.Trim(v.at.Path, "/")) < len(strings.Trim(w.at.Path, "/")) {
		outer, inner = v, w
	}
	rel := strings.Trim(strings.TrimPrefix(strings.Trim(inner.at.Path, "/"), strings.Trim(outer.at.Path, "/")), "/")
	switch {
	case w.source == v.source && w.key == v.key:
		return fmt.Errorf("mappings %s and %s have the same source and the same remote: remove one", w, v)
	case rel == "":
		return fmt.Errorf("mappings %s and %s have the same remote: each would replace what the other sent; give each a directory of its own", w, v)
	case outer.CompleteSync:
		if filter, err := outer.Mirrored(); err == nil && filter != nil && !filter.Dir(rel) {
			return nil // it leaves that out
		}
		return fmt.Errorf("the remote of mapping %s is inside that of %s, which would delete it (complete-sync): add \"/%s/**\" to the exclude list of %q",
			inner, outer, rel, outer.Name)
	}
	return nil
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

// feeds reports whether remote and source overlap. One that cannot be looked through is Prepare's.
func feeds(target, source string) bool {
	err := rclone.Overlaps(source, target)
	return err != nil && !errors.Is(err, remote.ErrFatal) && errors.Unwrap(err) == nil
}

func circleProblem(file *config.File, all []whereabouts, ring []int) *config.Problem {
	var names []string
	last := all[ring[0]].table.At
	for _, i := range ring {
		names = append(names, all[i].String())
		if at := all[i].table.At; at.Line > last.Line {
			last = at
		}
	}
	return file.Problem(last, "mappings %s feed each other: the remote of each overlaps the source of the next, so that changes go round for ever; remove one",
		strings.Join(names, " and "))
}
