package service

import (
	"embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// units are the definitions, as templates. They say themselves why they are as they are, for whoever wants to change
// what was written; what only concerns us is in comments of the templates.
//
//go:embed units/*.tmpl
var units embed.FS

// render fills in a template of units. What a value is quoted with stands where it is used.
func render(name string, data any) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"line":    singleLine,
		"word":    unitQuote,
		"command": execLine,
		"path":    unitPathEscape,
		"xml":     escapeXML,
	}).ParseFS(units, "units/"+name)
	if err != nil {
		return "", fmt.Errorf("parse service definition: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("make service definition: %w", err)
	}
	return b.String(), nil
}

func escapeXML(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// writeDefinition writes a file of the service manager, whole or not at all, and reports whether that
// changed anything.
func writeDefinition(path, text string) (changed bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && string(old) == text {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read service definition: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, fmt.Errorf("make directory of service definitions: %w", err)
	}
	// A crash before the rename leaves NAME.tmp, which no service manager reads and the next install replaces.
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		return false, fmt.Errorf("write service definition: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return false, fmt.Errorf("write service definition: %w", err)
	}
	return true, nil
}

// removeDefinition reports whether there was one.
func removeDefinition(path string) (bool, error) {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove service definition: %w", err)
	}
	return true, nil
}
