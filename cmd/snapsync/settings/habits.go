package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/rclone/answers"
	"github.com/snapsync/snapsync/backends/spelling"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// What kong says of a word that means nothing to it.
var (
	unknownFlag = regexp.MustCompile(`^unknown flag (--?[^\s,=]+)`)
	unexpected  = regexp.MustCompile(`^unexpected argument (.+?)(, did you mean .*)?$`)
)

// UsageOf makes kong's errors ours. They name the command, so the hint can, too; what people type from habit of rclone gets
// its answer.
func UsageOf(err error, args []string, model *kong.Application) error {
	if f := (*exit.Failure)(nil); errors.As(err, &f) {
		return err
	}
	var command *kong.Node
	if p := (*kong.ParseError)(nil); errors.As(err, &p) && p.Context != nil {
		command = p.Context.Selected()
	}
	said := strings.TrimSuffix(err.Error(), "\n")
	if m := unknownFlag.FindStringSubmatch(said); m != nil {
		if hint := aboutFlag(m[1], command, model); hint != "" {
			return exit.Usage(hint, "unknown flag %s", m[1])
		}
	} else if m := unexpected.FindStringSubmatch(said); m != nil {
		if hint := aboutArgument(m[1], command, args); hint != "" {
			return exit.Usage(hint, "unexpected argument %s", m[1])
		}
	}
	if command != nil {
		return exit.Usage(fmt.Sprintf("see 'snapsync %s --help'", command.Path()), "%s", said)
	}
	return exit.Usage("see 'snapsync --help'", "%s", said)
}

// aboutFlag is what to do about a flag that command, nil: none, has not; "": nobody has it, or one like it.
func aboutFlag(flag string, command *kong.Node, model *kong.Application) string {
	node, names := command, []string(nil)
	if node == nil {
		node = model.Node
	}
	for _, f := range slices.Concat(node.AllFlags(true)...) {
		names = append(names, f.Name)
	}
	near, said := spelling.Meant(strings.TrimLeft(flag, "-"), names, func(string) string { return elsewhere(flag, command, model) })
	if near != "" {
		return "did you mean --" + near + "?"
	}
	return said
}

// elsewhere is what another command has the flag for, or rclone.
func elsewhere(flag string, command *kong.Node, model *kong.Application) string {
	written := strings.ReplaceAll(flag, "_", "-")
	var has []string
	for _, n := range model.Children {
		if slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return written == "--"+f.Name || flag == "-"+string(f.Short) }) {
			has = append(has, "'snapsync "+n.Name+"'")
		}
	}
	switch {
	case command != nil && command.Name == "plan" && slices.Contains([]string{"-n", "--dry-run"}, flag):
		return "leave it out: plan changes nothing"
	case len(has) > 0 && len(has) < 3 && !isRclones(flag):
		return "it is a flag of " + strings.Join(has, ", ")
	}
	return rclone.Advice(flag)
}

// isRclones reports whether rclone means something by a flag that is no flag of a run here.
func isRclones(flag string) bool {
	o, known := answers.Of(flag)
	return known && strings.HasPrefix(flag, "--") && o.Class != answers.Ours
}

// aboutArgument is what to type instead of a command of rclone's, or of a remote that is given as rclone takes it.
func aboutArgument(arg string, command *kong.Node, args []string) string {
	if command == nil {
		c, known := answers.CommandOf(arg)
		if !known {
			return ""
		}
		return c.Say
	}
	if !slices.Contains([]string{"run", "plan", "verify", "sync"}, command.Name) ||
		slices.ContainsFunc(args, func(a string) bool { return a == "--remote" || strings.HasPrefix(a, "--remote=") }) {
		return ""
	}
	line := "snapsync"
	for _, a := range args {
		switch a {
		case "sync":
			if command.Name == a {
				a = "run --once"
			}
		case arg:
			a = "--remote " + text.ShellWord(a)
		default:
			a = text.ShellWord(a)
		}
		line += " " + a
	}
	return "the remote is named by --remote: " + line
}
