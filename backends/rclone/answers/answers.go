// Package answers says what becomes of each of rclone's options and commands here: a person who comes from rclone types them
// from habit, and environments hold them as variables.
//
// The table in options.go classes every global option of rclone's, and its filter and log options; a test compares it with the
// rclone that is linked. What an option does is decided by whoever reads the table: package rclone obeys those that are Passed and
// refuses others, the command line has a flag for each of Ours, docs/from-rclone.md is made from it. Nothing is ever taken
// and ignored.
//
// The package is data: it imports nothing that can fail, and changes nothing.
package answers

import (
	"fmt"
	"strings"
)

// Class is what becomes of an option.
type Class int

// The classes. An option of the last two is refused, wherever it was given.
const (
	Ours    Class = iota + 1 // a flag of snapsync's by the same name; rclone's variable sets it as well
	Passed                   // rclone's code obeys it, by its variable and by --rclone
	Always                   // so here in any case: taken by --rclone and as a variable, as it asks for nothing more
	Instead                  // something else does what it is for
	Never                    // not here, for a reason
)

// Option is one of rclone's.
type Option struct {
	Name  string // as rclone's configuration has it, fast_list; with * at the end: all that begin so
	Short string // its letter, if that means the same in any command of rclone's
	Class Class
	Say   string // Ours, Passed: a remark, if there is one. Always: what is so. Instead: what to say. Never: the reason.
}

// Of returns what the table has for a name. It may be written as a flag or as an option: --fast-list, fast_list.
func Of(name string) (Option, bool) {
	name = Canonical(name)
	for _, o := range options {
		stem, family := strings.CutSuffix(o.Name, "*")
		if name == o.Name || family && strings.HasPrefix(name, stem) {
			return o, true
		}
	}
	return Option{}, false
}

// OfShort returns the option with this letter.
func OfShort(letter string) (Option, bool) {
	for _, o := range options {
		if letter != "" && o.Short == letter {
			return o, true
		}
	}
	return Option{}, false
}

// Canonical is the name of an option that may be written as a flag.
func Canonical(name string) string { return strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_") }

// Flag is the option as a flag.
func (o Option) Flag() string { return "--" + strings.ReplaceAll(o.Name, "_", "-") }

// Refused reports whether the option is taken from nobody.
func (o Option) Refused() bool { return o.Class == Instead || o.Class == Never }

// Advice is what to do about the option for somebody who typed it as a flag.
func (o Option) Advice() string {
	switch o.Class {
	case Ours:
		return join("use "+o.Flag(), o.Say)
	case Passed:
		return join(fmt.Sprintf("say --rclone %s=VALUE", strings.TrimPrefix(o.Flag(), "--")), o.Say)
	case Always:
		return "leave it out, it is always so: " + o.Say
	case Instead:
		return "instead: " + o.Say
	}
	return "not here: " + o.Say
}

func join(text, remark string) string {
	if remark == "" {
		return text
	}
	return text + "; " + remark
}

// Command is one of rclone's that snapsync has not, or has with another meaning.
type Command struct {
	Name string
	Say  string // what to type
}

// CommandOf returns what the table has for a command of rclone's.
func CommandOf(name string) (Command, bool) {
	for _, c := range commands {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}

// Names returns the names of the table, in its order.
func Names() []string {
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.Name
	}
	return names
}
