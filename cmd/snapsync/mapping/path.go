package mapping

import (
	"path/filepath"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Matches reports whether the mapping has this source and this remote; empty means any.
func (m *Mapping) Matches(source, key string) bool {
	if m.Err != nil && m.Name == "" {
		return m.mayBe(source, key)
	}
	return (source == "" || m.Source == source) && (key == "" || m.Key == key)
}

// Within returns the path of place relative to source in the journal's form, and whether it is there.
// The last element is not followed: it may be a symlink that is mirrored as such.
func Within(source, place string) (string, bool) {
	abs, err := filepath.Abs(place)
	if err != nil {
		return "", false
	}
	if abs == source {
		return "", true
	}
	parent, err := RealPath(filepath.Dir(abs))
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

// PathIn translates what a person typed into a path of the mapping: as seen from the working
// directory, or, if that leads out of the source and the working directory is not in it either, as
// seen from the source.
func (m *Mapping) PathIn(typed string) (string, error) {
	if typed == "" {
		return "", nil
	}
	if rel, ok := Within(m.Source, typed); ok {
		return rel, nil
	}
	rel := filepath.ToSlash(filepath.Clean(typed))
	if _, inside := Within(m.Source, "."); inside || filepath.IsAbs(typed) || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", exit.Usage("", "%s is not inside the source %s", text.Path(typed), text.Path(m.Source))
	}
	return rel, nil
}
