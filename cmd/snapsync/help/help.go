// Package help prints the page of a command: usage, what it does with examples as it stands in the
// source, and the flags, grouped, the ones of every command last.
package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
)

// Printer prints pages whose tables are in the order of groups.
func Printer(groups []kong.Group) kong.HelpPrinter {
	return func(_ kong.HelpOptions, ctx *kong.Context) error {
		p := &page{width: pageWidth(ctx.Stdout), groups: groups}
		p.write(ctx)
		_, err := io.WriteString(ctx.Stdout, p.text.String())
		return err
	}
}

func (p *page) write(ctx *kong.Context) {
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
		p.line("Usage: snapsync COMMAND [flags]")
	} else {
		p.line("Usage: snapsync %s", node.Summary())
	}
	p.line("\n%s", strings.Join(wrap(node.Help, p.width), "\n"))
	if node.Detail != "" {
		p.line("\n%s", strings.TrimRight(node.Detail, "\n"))
	}
	p.commands(node)
	p.arguments(node)
	p.flags(node)
	if ctx.Selected() == nil {
		p.line("\n'snapsync COMMAND --help' tells more about a command. Each flag has a variable:\nSNAPSYNC_ and the flag in capitals, as SNAPSYNC_STATE_DIR.")
	}
}

// pageWidth keeps lines readable on wide terminals.
func pageWidth(w io.Writer) int {
	const readable = 100
	if width, _ := console.Size(w); width > 40 {
		return min(width, readable)
	}
	return readable
}

// page is a help page in the making.
type page struct {
	text   strings.Builder
	width  int
	groups []kong.Group
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

func (p *page) commands(node *kong.Node) {
	rows := map[string][][2]string{}
	for _, n := range node.Children {
		group := "commands" // beneath another
		if node.Parent == nil && n.Group != nil {
			group = n.Group.Key
		}
		if !n.Hidden {
			rows[group] = append(rows[group], [2]string{n.Name, n.Help})
		}
	}
	p.tables(rows)
}

func (p *page) arguments(node *kong.Node) {
	var rows [][2]string
	for _, a := range node.Positional {
		rows = append(rows, [2]string{a.Summary(), a.Help})
	}
	if len(rows) > 0 {
		p.line("\nArguments:")
		p.table(rows)
	}
}

func (p *page) flags(node *kong.Node) {
	rows := map[string][][2]string{}
	for _, level := range node.AllFlags(true) {
		for _, f := range level {
			group := "global"
			if f.Group != nil {
				group = f.Group.Key
			}
			rows[group] = append(rows[group], [2]string{flagSummary(f), f.Help})
		}
	}
	p.tables(rows)
}

func flagSummary(f *kong.Flag) string {
	text := "    --" + f.Name
	if f.Short != 0 {
		text = fmt.Sprintf("-%c, --%s", f.Short, f.Name)
	}
	if !f.IsBool() && !f.IsCounter() {
		text += " " + f.FormatPlaceHolder()
	}
	return text
}

// tables prints one table per group, in the order of groups.
func (p *page) tables(rows map[string][][2]string) {
	for _, g := range p.groups {
		if len(rows[g.Key]) > 0 {
			p.line("\n%s", g.Title)
			p.table(rows[g.Key])
		}
	}
}

func (p *page) table(rows [][2]string) {
	left := 0
	for _, r := range rows {
		left = max(left, len(r[0]))
	}
	for _, r := range rows {
		lines := wrap(r[1], max(p.width-left-5, 20))
		for i, text := range lines {
			name := ""
			if i == 0 {
				name = r[0]
			}
			p.line("%s", strings.TrimRight(fmt.Sprintf("  %-*s   %s", left, name, text), " "))
		}
	}
}

// wrap breaks text between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
