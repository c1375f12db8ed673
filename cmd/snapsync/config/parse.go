package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/snapsync/snapsync/backends/spelling"
)

// The tables of a file, and the keys that each mapping must have.
const (
	defaultsTable = "defaults"
	mappingsTable = "mappings"
	sourceKey     = "source"
	remoteKey     = "remote"
)

// Load reads the file at path. A file that is wrong gives Problems; one that is missing, an error that
// is fs.ErrNotExist.
func (s *Schema) Load(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read mappings: %w", err)
	}
	return s.Parse(path, data)
}

// byteOrderMark is what some editors put at the start of a text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Parse reads data; path is only for messages.
func (s *Schema) Parse(path string, data []byte) (*File, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	p := &parser{schema: s, file: &File{Path: path, Process: Table{}, Defaults: Table{}}}
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		problem := &Problem{Path: path, Err: errors.New(strings.TrimPrefix(err.Error(), "toml: "))}
		if d := (*toml.DecodeError)(nil); errors.As(err, &d) {
			problem.At.Line, problem.At.Column = d.Position()
		}
		return nil, Problems{problem}
	}
	p.at = positions(data)
	p.top(doc)
	return p.file, p.problems.Err()
}

// pathOf joins the parts of a dotted key: no part holds a NUL.
func pathOf(parts ...string) string { return strings.Join(parts, "\x00") }

// positions returns where each key and each table was written first, by path. The document is known to
// be well-formed.
func positions(data []byte) map[string]Position {
	at := map[string]Position{}
	p := &unstable.Parser{}
	p.Reset(data)
	var table []string
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = mark(at, p, nil, e)
		case unstable.KeyValue:
			markValue(at, p, table, e)
		}
	}
	return at
}

// markValue marks a key and, if its value is an inline table, those within.
func markValue(at map[string]Position, p *unstable.Parser, table []string, kv *unstable.Node) {
	key := mark(at, p, table, kv)
	if kv.Value().Kind != unstable.InlineTable {
		return
	}
	for it := kv.Value().Children(); it.Next(); {
		markValue(at, p, key, it.Node())
	}
}

// mark marks every part of a dotted key beneath table, and returns the whole of it.
func mark(at map[string]Position, p *unstable.Parser, table []string, n *unstable.Node) []string {
	key := slices.Clone(table)
	for it := n.Key(); it.Next(); {
		key = append(key, string(it.Node().Data))
		if _, known := at[pathOf(key...)]; !known {
			start := p.Shape(it.Node().Raw).Start
			at[pathOf(key...)] = Position{start.Line, start.Column}
		}
	}
	return key
}

// parser turns a document into a File and collects what is wrong with it.
type parser struct {
	schema   *Schema
	file     *File
	at       map[string]Position // by path
	problems Problems
}

func (p *parser) add(path string, format string, args ...any) {
	p.problems = append(p.problems, p.file.Problem(p.at[path], format, args...))
}

// inOrder returns the keys of a table in the order of the file.
func (p *parser) inOrder(table map[string]any, path ...string) []string {
	var keys []string
	for key := range table {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		at := func(key string) Position { return p.at[pathOf(append(slices.Clone(path), key)...)] }
		return at(a).compare(at(b))
	})
	return keys
}

func (p *parser) top(doc map[string]any) {
	for _, key := range p.inOrder(doc) {
		v := doc[key]
		switch key {
		case defaultsTable:
			p.table(v, func(t map[string]any) { p.options(p.file.Defaults, t, defaultsTable) }, key)
		case mappingsTable:
			p.table(v, p.mappings, key)
		default:
			p.set(p.file.Process, p.schema.Process, v, key)
		}
	}
}

// table calls fn if v is a table.
func (p *parser) table(v any, fn func(map[string]any), path ...string) {
	if t, ok := v.(map[string]any); ok {
		fn(t)
		return
	}
	p.add(pathOf(path...), "%s: want a table, [%s], not %s", path[len(path)-1], strings.Join(path, "."), describe(v))
}

func (p *parser) mappings(t map[string]any) {
	for _, name := range p.inOrder(t, mappingsTable) {
		path := pathOf(mappingsTable, name)
		if err := CheckName(name); err != nil {
			p.add(path, "%w", err)
			continue
		}
		p.table(t[name], func(t map[string]any) { p.mapping(name, t) }, mappingsTable, name)
	}
}

func (p *parser) mapping(name string, t map[string]any) {
	m := Mapping{Name: name, At: p.at[pathOf(mappingsTable, name)], Options: Table{}}
	p.options(m.Options, t, mappingsTable, name)
	m.Source, _ = m.Options[sourceKey].V.(string)
	m.Remote, _ = m.Options[remoteKey].V.(string)
	for _, key := range []string{sourceKey, remoteKey} {
		if v, set := t[key]; !set || v == "" {
			p.add(pathOf(mappingsTable, name), "mapping %q has no %s", name, key)
		}
	}
	p.file.Mappings = append(p.file.Mappings, m)
}

// options reads the keys of [defaults] or of a mapping.
func (p *parser) options(to Table, t map[string]any, path ...string) {
	keys := p.schema.Mapping
	if path[0] == mappingsTable {
		keys = append([]Key{{Name: sourceKey, Kind: Text}, {Name: remoteKey, Kind: Text}}, keys...)
	}
	for _, key := range p.inOrder(t, path...) {
		p.set(to, keys, t[key], append(slices.Clone(path), key)...)
	}
}

// set reads one value; the last part of path is its key.
func (p *parser) set(to Table, keys []Key, v any, path ...string) {
	name := path[len(path)-1]
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		p.unknown(keys, v, path...)
		return
	}
	value, err := convert(keys[i].Kind, v)
	if err != nil {
		p.add(pathOf(path...), "%s: %w", name, err)
		return
	}
	to[name] = Value{value, p.at[pathOf(path...)]}
}

// unknown says where a key belongs, or which one may have been meant.
func (p *parser) unknown(keys []Key, v any, path ...string) {
	name, where := path[len(path)-1], pathOf(path...)
	_, isTable := v.(map[string]any)
	has := func(keys []Key) bool {
		return slices.ContainsFunc(keys, func(k Key) bool { return k.Name == name })
	}
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	if len(path) == 1 {
		names = append(names, defaultsTable, mappingsTable)
	}
	near, said := spelling.Meant(name, names, p.schema.Answer)
	switch {
	case len(path) == 1 && (has(p.schema.Mapping) || name == sourceKey || name == remoteKey):
		p.add(where, "%s is set for mappings: move it into a [mappings.NAME], or into [defaults] for all of them", name)
	case len(path) == 2 && (name == sourceKey || name == remoteKey):
		p.add(where, "%s cannot have a default: each [mappings.NAME] has its own", name)
	case len(path) > 1 && has(p.schema.Process):
		p.add(where, "%s is set for the whole process: move it to the top of the file, above the first [table]", name)
	case said != "":
		p.add(where, "unknown key %q: %s", name, said)
	case near != "":
		p.add(where, "unknown key %q: did you mean %q?", name, near)
	case isTable && len(path) == 1:
		p.add(where, "unknown table %q: a mapping is [mappings.%s]", name, name)
	case isTable && len(path) == 3:
		p.add(where, `unknown table %q: a name with a dot is quoted, [mappings."%s.%s"]`, name, path[1], name)
	default:
		p.add(where, "unknown key %q: the keys are the flags of 'snapsync run', without the dashes in front", name)
	}
}

// CheckName refuses what cannot be the name of a mapping.
func CheckName(name string) error {
	ok := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) }
	odd := func(r rune) bool { return !ok(r) }
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, odd) || strings.ContainsRune("-.", rune(name[0])) {
		return fmt.Errorf("the name %q: want up to 64 letters, digits, - _ . and no - or . at the start", name)
	}
	return nil
}
