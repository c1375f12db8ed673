package settings

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// GivenArguments are the global flags of this command line, and of SNAPSYNC_ variables, for another one,
// which may run in another directory. What the config file says is left to it, the log file to LogArguments.
// Left out are those that are about this command line only: --help, --version and without.
func (r *Resolver) GivenArguments(without ...string) ([]string, error) {
	without = append(without, "help", "version")
	var args []string
	for _, f := range r.Model.Flags {
		if r.Given[f.Name] == ByNothing || slices.Contains(without, f.Name) || strings.HasPrefix(f.Name, "log-file") {
			continue
		}
		values, err := valuesOf(f)
		if err != nil {
			return nil, err
		}
		args = append(args, values...)
	}
	return args, nil
}

// valuesOf writes a flag as it was given.
func valuesOf(f *kong.Flag) (args []string, err error) {
	name := "--" + f.Name
	switch value := f.Target.Interface().(type) {
	case bool:
		return []string{fmt.Sprintf("%s=%t", name, value)}, nil
	case int:
		for range value { // a counter such as -vv
			args = append(args, name)
		}
	case []string:
		for _, v := range value {
			args = append(args, name+"="+v)
		}
	case string:
		if f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR" {
			value, err = filepath.Abs(value)
		}
		args = []string{name + "=" + value}
	}
	return args, err
}

// LogArguments give another process a log that rotates, with the limits given here or modest ones. Those of
// the config file stand.
func (r *Resolver) LogArguments(path string) []string {
	var args []string
	add := func(name, value string, said bool) {
		if r.Given[name] != ByNothing || !said {
			args = append(args, "--"+name+"="+value)
		}
	}
	limit, backups := r.LogFileMaxSize, r.LogFileMaxBackups
	if limit == "" {
		limit = "10M"
	}
	if backups == 0 {
		backups = 5
	}
	add("log-file", path, r.LogFile != "")
	add("log-file-max-size", limit, r.LogFileMaxSize != "")
	add("log-file-max-backups", fmt.Sprint(backups), r.LogFileMaxBackups != 0 || r.LogFileMaxAge != "")
	add("log-file-max-age", r.LogFileMaxAge, true)
	add("log-file-compress", fmt.Sprint(r.LogFileCompress), true)
	return args
}
