package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Setting is a line of a table, with the comment above it.
type Setting struct {
	Key     string
	V       any // as in Value; a Duration as its text
	Comment string
}

// Format returns a mapping as it is written into a file.
func Format(name string, settings []Setting) string {
	quoted, _, _ := strings.Cut(Line(name, 0), " =")
	var b strings.Builder
	fmt.Fprintf(&b, "[%s.%s]\n", mappingsTable, quoted)
	for i, s := range settings {
		if i > 0 && s.Comment != "" {
			b.WriteString("\n")
		}
		writeComment(&b, s.Comment)
		b.WriteString(Line(s.Key, s.V) + "\n")
	}
	return b.String()
}

// Line is one key as TOML has it, without the end of the line; a long list has a line for each element.
func Line(key string, v any) string {
	line := encode(key, v, false)
	if _, list := v.([]string); list && len(line) > width {
		line = encode(key, v, true)
	}
	return line
}

func encode(key string, v any, multiline bool) string {
	var b strings.Builder
	if err := toml.NewEncoder(&b).SetArraysMultiline(multiline).Encode(map[string]any{key: v}); err != nil {
		panic(fmt.Sprintf("config: %s = %#v: %v", key, v, err)) // texts, numbers and lists of texts can be written
	}
	return strings.TrimRight(b.String(), "\n")
}

// width keeps lines readable in a terminal.
const width = 78

// writeComment breaks text between words.
func writeComment(b *strings.Builder, text string) {
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width && line != "#" {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	if line != "#" {
		b.WriteString(line + "\n")
	}
}

const preamble = `# The mappings of snapsync: what is kept true to what. Edit it as you like:
# 'snapsync config check' looks for mistakes, 'snapsync config show' shows what
# it means. Keys are the flags of 'snapsync run', without the dashes in front.
# A key for all mappings goes into a table [defaults].

`

// Extend returns what the file at path would be with a mapping added, as bytes and as what they mean;
// nothing is written. The file need not exist. What is there already, comments included, stays as
// it is; where mappings are written in some way that nothing can be added to, it is an error.
func (s *Schema) Extend(path, mapping string) ([]byte, *File, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		data = []byte(preamble)
	case err != nil:
		return nil, nil, fmt.Errorf("read mappings: %w", err)
	case len(data) > 0: // one empty line stands before the mapping
		data = append(bytes.TrimRight(data, "\n"), "\n\n"...)
	}
	data = append(data, mapping...)
	file, err := s.Parse(path, data)
	return data, file, err
}

// Write puts data in place of the file at path in one step. The file keeps its rights; a new one is
// readable by its owner only.
func Write(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // people keep such files elsewhere and link to them
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := replace(path, data, mode); err != nil {
		return fmt.Errorf("write mappings: %w", err)
	}
	return nil
}

// replace renames a new file over the old one. A crash leaves the old one, and perhaps one beside it that
// nobody reads.
func replace(path string, data []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".config-*.toml") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Chmod(mode); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
