package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
)

// expanded makes the paths in a value whole: a service has no working directory that a person would
// think of. dir is what a relative file name is relative to.
func expanded(f *kong.Flag, v any, dir string) (any, error) {
	switch f.Tag.PlaceHolder {
	case "FILE":
		return eachText(v, func(s string) (string, error) { return fileIn(dir, s) })
	case "DIR":
		if f.Name == "backup-dir" {
			return eachText(v, remoteOf)
		}
		return eachText(v, directory)
	}
	return v, nil
}

// eachText applies fn to a text, or to each of a list.
func eachText(v any, fn func(string) (string, error)) (any, error) {
	switch v := v.(type) {
	case string:
		return fn(v)
	case []string:
		out := []string(nil)
		for _, s := range v {
			e, err := fn(s)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}
	return v, nil
}

// fileIn expands ~ and variables; what is relative is beside the config file.
func fileIn(dir, text string) (string, error) {
	path, err := expandPath(text)
	if err != nil || path == "" || path == "-" || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Abs(filepath.Join(dir, path))
}

// directory expands ~ and variables, and wants the whole path.
func directory(text string) (string, error) {
	path, err := expandPath(text)
	if err == nil && path != "" && !filepath.IsAbs(path) {
		err = fmt.Errorf("%s is relative: start it with / or ~/", show(text))
	}
	return path, err
}

// remoteOf expands ~ at the start of a local directory, and refuses one that depends on the working
// directory. In a remote $ has no meaning: passwords have it.
func remoteOf(text string) (string, error) {
	if text == "~" || strings.HasPrefix(text, "~/") {
		return expandPath(strings.ReplaceAll(text, "$", "$$"))
	}
	if _, _, err := rclone.Canonical(text); err != nil {
		return "", err
	}
	path := strings.TrimPrefix(text, ":local:")
	if _, local := rclone.LocalPath(text); local && text != "" && !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is a relative directory: start it with / or ~/, or name a remote as in nas:%s", show(text), show(text))
	}
	return text, nil
}

// expandPath replaces ~ at the start by the home directory, and $NAME and ${NAME} by variables of the
// environment; $$ is a dollar sign.
func expandPath(text string) (string, error) {
	var missing []string
	path := os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		value, ok := os.LookupEnv(name)
		if !ok {
			missing = append(missing, "$"+name)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s is not set in the environment: $$ is a dollar sign", strings.Join(missing, ", "))
	}
	if path != "~" && !strings.HasPrefix(path, "~/") {
		if strings.HasPrefix(text, "~") {
			return "", fmt.Errorf("%s: only ~/ is known, not the home of others: write the whole path", show(text))
		}
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("expand ~: %w", err)
	}
	return filepath.Join(home, path[1:]), nil
}

// tilde writes a path the way a person does.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return path
	}
	if rel, err := filepath.Rel(home, path); err == nil && filepath.IsLocal(rel) {
		if rel == "." {
			return "~"
		}
		return "~/" + filepath.ToSlash(rel)
	}
	return path
}

// literal writes a path that a shell has expanded for the file, where $ has a meaning.
func literal(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return strings.ReplaceAll(tilde(path), "$", "$$")
}

// wholeRemote makes a directory that is relative to the working directory one that is not.
func wholeRemote(remote string) string {
	if _, local := rclone.LocalPath(remote); local && !filepath.IsAbs(remote) && !strings.HasPrefix(remote, "~") && !strings.HasPrefix(remote, ":") {
		if abs, err := filepath.Abs(remote); err == nil {
			return abs
		}
	}
	return remote
}
