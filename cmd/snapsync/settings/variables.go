package settings

import (
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/rclone/answers"
	"github.com/snapsync/snapsync/backends/spelling"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

const prefix = "SNAPSYNC_"

// otherVariables are those that no flag has.
var otherVariables = []string{prefix + "ACCELERATE", prefix + "TRACE"}

// foreignVariables begin the names of variables that others set for their own ends: our tests, and Kubernetes for a service that is
// called snapsync.
var foreignVariables = []string{prefix + "TEST_", prefix + "SEED", prefix + "SERVICE_", prefix + "PORT"}

// readByRclone are options whose variables rclone reads itself. What the config file says wins over them.
var readByRclone = []string{"config", "password-command", "bwlimit"}

// AddRcloneVariables lets rclone's variable of the same meaning set a flag, where ours does not.
func AddRcloneVariables(k *kong.Kong) error {
	return kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		if f, is := n.(*kong.Flag); is && len(f.Envs) > 0 && !slices.Contains(readByRclone, f.Name) {
			name := "RCLONE_" + strings.TrimPrefix(f.Envs[0], prefix)
			value, set := os.LookupEnv(name)
			if o, known := answers.Of(f.Name); known && o.Class == answers.Ours && (value != "" || !set) {
				f.Envs = append(f.Envs, name)
				f.Tag.Envs = f.Envs
			}
		}
		return next(nil)
	})
}

// variableOf returns the variable that sets f, and its value; "": none does.
func variableOf(f *kong.Flag) (name, value string) {
	for _, name := range f.Envs {
		if value, set := os.LookupEnv(name); set {
			return name, value
		}
	}
	return "", ""
}

// ReadLists reads the lists that variables hold: as rclone does, an item that holds a comma is quoted.
func ReadLists(parsed *kong.Context, given map[string]Origin) error {
	for _, f := range parsed.Flags() {
		list, is := f.Target.Addr().Interface().(*[]string)
		if !is || given[f.Name] != ByVariable {
			continue
		}
		name, value := variableOf(f)
		items, err := rclone.ParseList(value)
		if err != nil {
			return exit.Usage(`for instance '*.tmp,"with, comma"'`, "%s: %w", name, err)
		}
		*list = items
	}
	return nil
}

// CheckVariables refuses a variable of ours that nothing reads: whoever set it relies on it.
func CheckVariables(model *kong.Application) error {
	known := slices.Clone(otherVariables)
	err := kong.Visit(model, func(n kong.Visitable, next kong.Next) error {
		if f, is := n.(*kong.Flag); is {
			known = append(known, f.Envs...)
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for _, kv := range slices.Sorted(slices.Values(os.Environ())) {
		name, _, _ := strings.Cut(kv, "=")
		foreign := slices.ContainsFunc(foreignVariables, func(p string) bool { return strings.HasPrefix(name, p) })
		if !strings.HasPrefix(name, prefix) || foreign || slices.Contains(known, name) {
			continue
		}
		option := strings.ToLower(strings.TrimPrefix(name, prefix))
		hint := "a variable is SNAPSYNC_ and the name of a flag: see 'snapsync run --help'"
		if near, said := spelling.Meant(option, optionsOf(known), rclone.Advice); near != "" {
			hint = "did you mean " + prefix + strings.ToUpper(near) + "?"
		} else if said != "" {
			hint = said
		}
		return exit.Usage(hint, "nothing reads the variable %s", name)
	}
	return nil
}

// optionsOf are the names of variables as options: complete_sync.
func optionsOf(variables []string) (names []string) {
	for _, v := range variables {
		if option, ours := strings.CutPrefix(v, prefix); ours {
			names = append(names, strings.ToLower(option))
		}
	}
	return names
}

// CheckEncoding refuses arguments and variables of ours that are not UTF-8: they would be read as another name.
func CheckEncoding(args []string) error {
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, prefix) {
			args = append(args[:len(args):len(args)], kv)
		}
	}
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return exit.Usage("name a directory above it, or give it a name in UTF-8", "%s is not UTF-8", text.Path(arg))
		}
	}
	return nil
}
