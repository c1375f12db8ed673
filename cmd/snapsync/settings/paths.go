package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// expanded makes the paths in a value whole: a service has no working directory that a person would
// think of. dir is what a relative file name is relative to.
func expanded(f *kong.Flag, v any, dir string) (any, error) {
	switch f.Tag.PlaceHolder {
	case "FILE":
		return eachText(v, func(s string) (string, error) { return fileIn(dir, s) })
	case "DIR":
		if f.Name == "backup-dir" {
			return eachText(v, RemoteOf)
		}
		return eachText(v, Directory)
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
	path, err := ExpandPath(text)
	if err != nil || path == "" || path == "-" || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Abs(filepath.Join(dir, path))
}

// Directory expands ~ and variables, and wants the whole path.
func Directory(given string) (string, error) {
	path, err := ExpandPath(given)
	if err == nil && path != "" && !filepath.IsAbs(path) {
		err = fmt.Errorf("%s is relative: start it with / or ~/", text.Path(given))
	}
	return path, err
}

// RemoteOf expands ~ at the start of a local directory, and refuses one that depends on the working
// directory. In a remote $ has no meaning: passwords have it.
func RemoteOf(given string) (string, error) {
	if given == "~" || strings.HasPrefix(given, "~/") {
		return ExpandPath(strings.ReplaceAll(given, "$", "$$"))
	}
	if _, _, err := rclone.Canonical(given); err != nil {
		return "", err
	}
	path := strings.TrimPrefix(given, ":local:")
	if _, local := rclone.LocalPath(given); local && given != "" && !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is a relative directory: start it with / or ~/, or name a remote as in nas:%s", text.Path(given), text.Path(given))
	}
	return given, nil
}

// ExpandPath replaces ~ at the start by the home directory, and $NAME and ${NAME} by variables of the
// environment; $$ is a dollar sign.
func ExpandPath(given string) (string, error) {
	var missing []string
	path := os.Expand(given, func(name string) string {
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
		if strings.HasPrefix(given, "~") {
			return "", fmt.Errorf("%s: only ~/ is known, not the home of others: write the whole path", text.Path(given))
		}
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("expand ~: %w", err)
	}
	return filepath.Join(home, path[1:]), nil
}

// RemoteKey is rclone.Canonical with an error that ends the process as it should.
func RemoteKey(remote string) (key, display string, err error) {
	key, display, err = rclone.Canonical(remote)
	if err != nil {
		err = &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: mapping.RemoteHint}
	}
	return key, display, err
}

// HasSecret reports whether a remote, as it is written, proves who one is.
func HasSecret(remote string) bool {
	_, display, err := RemoteKey(remote)
	return err == nil && strings.Contains(display, "XXX")
}
