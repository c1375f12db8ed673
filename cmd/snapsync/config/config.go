// Package config reads and extends the file of mappings: which directories go where, and how.
//
//	bwlimit = "10M"            # top of the file: what all mappings of a process share
//
//	[defaults]                 # for all mappings
//	exclude = ["*.tmp"]
//
//	[mappings.work]            # one mapping; its name is what -m takes
//	source = "~/work"
//	remote = "nas:work"
//	complete-sync = true
//
// Which keys there are is a Schema that the caller derives from its flags. What is guaranteed: a File
// holds only keys of the schema, each with a value of the key's kind and the place where it was
// written; each mapping has a name that a command line can take, a source and a remote; a file that is
// wrong yields all its problems at once, in the order of its lines, and for a misspelt key the nearest
// one that exists. Extend changes nothing of what a person wrote.
//
// What it leaves to others: what the values mean, ~ and variables, whether the places exist, and the
// terminal.
package config

import (
	"cmp"
	"fmt"
	"time"
)

// Kind says which values a key takes.
type Kind int

// The kinds, with the type that a Value of each holds.
const (
	Bool     Kind = iota // bool
	Text                 // string; a whole number is taken as written
	Texts                // []string, nil if empty; a single text is a list of one
	Number               // int
	Duration             // time.Duration, written as a text: "500ms"
)

// String names the kind as documentation does.
func (k Kind) String() string {
	return [...]string{"true or false", "text", "list of texts", "number", "duration"}[k]
}

// Key is something that can be set.
type Key struct {
	Name    string
	Kind    Kind
	Default string // as a person writes it; "": none
	Help    string // a sentence or two
}

// Schema is the keys that exist, apart from source and remote, which each mapping has.
type Schema struct {
	Process []Key // at the top of the file
	Mapping []Key // in [defaults] and in each [mappings.NAME]

	Answer func(name string) string // what to do about a key that is none; "": nothing is known. May be nil
}

// Position is a place in a file; both count from 1. The zero Position is the file as a whole.
type Position struct{ Line, Column int }

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Value is what a key was set to, and where.
type Value struct {
	V  any // of the type that the key's Kind names
	At Position
}

// Table is the keys that were set in one place, by name.
type Table map[string]Value

// Mapping is one [mappings.NAME].
type Mapping struct {
	Name    string
	At      Position
	Source  string // as written
	Remote  string // as written
	Options Table  // the rest; source and remote are in it as well, for their positions
}

// File is a file without mistakes that this package can see.
type File struct {
	Path     string
	Process  Table
	Defaults Table
	Mappings []Mapping // in the order of the file
}

// Mapping returns the one of that name; nil: there is none.
func (f *File) Mapping(name string) *Mapping {
	for i := range f.Mappings {
		if f.Mappings[i].Name == name {
			return &f.Mappings[i]
		}
	}
	return nil
}

// Names lists the mappings in the order of the file.
func (f *File) Names() []string {
	var names []string
	for _, m := range f.Mappings {
		names = append(names, m.Name)
	}
	return names
}

// Find returns where key was set for the mapping: in its own table, else in [defaults], else for the
// process. The zero Position: nowhere.
func (f *File) Find(m *Mapping, key string) Position {
	for _, t := range []Table{m.Options, f.Defaults, f.Process} {
		if v, ok := t[key]; ok {
			return v.At
		}
	}
	return Position{}
}

// Problem is a mistake that the caller found at a place in the file.
func (f *File) Problem(at Position, format string, args ...any) *Problem {
	return &Problem{Path: f.Path, At: at, Err: fmt.Errorf(format, args...)}
}

// convert returns v, which comes from TOML, as the type of the kind.
func convert(k Kind, v any) (any, error) {
	switch k {
	case Bool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("want true or false, without quotes, not %s", describe(v))
	case Text:
		return text(v)
	case Texts:
		return texts(v)
	case Number:
		if n, ok := v.(int64); ok && int64(int(n)) == n {
			return int(n), nil
		}
		return nil, fmt.Errorf("want a whole number, not %s", describe(v))
	case Duration:
		if s, ok := v.(string); ok {
			if d, err := time.ParseDuration(s); err == nil {
				return d, nil
			}
		}
		return nil, fmt.Errorf(`want a duration in quotes, such as "500ms", "30s" or "1h", not %s`, describe(v))
	}
	panic(fmt.Sprintf("config: no kind %d", k))
}

func text(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return fmt.Sprint(v), nil
	}
	return nil, fmt.Errorf("want a text in quotes, not %s", describe(v))
}

func texts(v any) (any, error) {
	list := []string(nil)
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf(`want a list of texts, such as ["a", "b"], not one with %s in it`, describe(e))
			}
			list = append(list, s)
		}
		return list, nil
	}
	return nil, fmt.Errorf(`want a list of texts, such as ["a", "b"], not %s`, describe(v))
}

// describe says what was written instead.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the text %q", v)
	case int64, float64:
		return fmt.Sprintf("the number %v", v)
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}
