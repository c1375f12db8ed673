package main

import (
	"cmp"
	"context"
	"embed"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Help is the long text of `completion --help`.
func (*completionCmd) Help() string {
	return `The script goes to stdout. It asks snapsync itself what can come next: commands, flags, the mappings of the
config file, rclone's remotes, snapshots.

Examples:

    source <(snapsync completion bash)
    snapsync completion zsh > "${fpath[1]}/_snapsync"
    snapsync completion fish > ~/.config/fish/completions/snapsync.fish
    snapsync completion powershell | Out-String | Invoke-Expression`
}

// Run implements the command.
func (c *completionCmd) Run(w *world) error {
	name := cmp.Or(map[string]string{"powershell": "ps1"}[c.Shell], c.Shell)
	script, err := completions.ReadFile("completions/snapsync." + name)
	if err != nil {
		return err
	}
	_, err = w.Out.Write(script)
	return err
}

//go:embed completions/snapsync.*
var completions embed.FS

// completeCommand is what the scripts call. It is no command of kong's: whatever is wrong, with a variable or with
// the config file, it says nothing and ends with status 0.
//
//	snapsync __complete -- plan --remote n
//	:dirs nospace
//	nas:	sftp
//
// The last word is the one that is completed, up to the cursor. The first line of the answer tells what the
// shell does itself: it adds files or directories, and leaves out the blank after a candidate. Each further line is a
// candidate, a tab and what it means.
const completeCommand = "__complete"

// completeTime bounds how long a person waits at the prompt.
const completeTime = 2 * time.Second

// complete answers to completeCommand. What hangs, such as a share that is away, is left behind: the
// process ends.
func complete(ctx context.Context, words []string, stdout io.Writer) {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	answer := make(chan proposal, 1)
	go func() {
		var p proposal
		defer func() {
			if recover() != nil {
				p = proposal{}
			}
			answer <- p
		}()
		p = propose(ctx, words)
	}()
	var p proposal
	select {
	case p = <-answer:
	case <-time.After(completeTime):
	case <-ctx.Done():
	}
	_, _ = io.WriteString(stdout, p.String())
}

// proposal is what a word can become, in the order in which it is shown.
type proposal struct {
	candidates []candidate
	files      bool // the shell adds files and directories
	dirs       bool // the shell adds directories
	open       bool // the word goes on after a candidate
}

type candidate struct{ value, help string }

// String is the answer as the scripts read it. What would break a line is left out.
func (p proposal) String() string {
	var b strings.Builder
	var directives []string
	for _, d := range []struct {
		name string
		set  bool
	}{{"files", p.files}, {"dirs", p.dirs}, {"nospace", p.open}} {
		if d.set {
			directives = append(directives, d.name)
		}
	}
	b.WriteString(":" + strings.Join(directives, " ") + "\n")
	for _, c := range p.candidates {
		if !strings.ContainsAny(c.value, "\t\r\n") {
			b.WriteString(c.value + "\t" + strings.Join(strings.Fields(c.help), " ") + "\n")
		}
	}
	return b.String()
}

// matching keeps the candidates that begin with what was typed; without any, those that do in another case.
func matching(all []candidate, typed string) []candidate {
	var exact, folded []candidate
	for _, c := range all {
		if strings.HasPrefix(c.value, typed) {
			exact = append(exact, c)
		}
		if strings.HasPrefix(strings.ToLower(c.value), strings.ToLower(typed)) {
			folded = append(folded, c)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return folded
}

// propose completes the last of words, which there is.
func propose(ctx context.Context, words []string) proposal {
	l, err := readLine(words)
	if err != nil {
		return proposal{}
	}
	p := l.propose(ctx)
	p.candidates = matching(p.candidates, l.current)
	return p
}

// line is a command line up to the cursor.
type line struct {
	cli     *cli
	model   *kong.Application
	parsed  *kong.Context // the words before the current one
	node    *kong.Node    // the command that they name
	waiting *kong.Flag    // the last of them, if the current one is its value
	ended   bool          // there was a "--": no flags any more
	current string
}

// readLine fails for a line that means nothing.
func readLine(words []string) (*line, error) {
	last := len(words) - 1
	before := rewrite(words[:last])
	l := &line{cli: &cli{}, current: words[last], ended: slices.Contains(before, "--")}
	parser, err := newParser(l.cli, io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	err = l.trace(parser, before)
	if err == nil || len(before) == 0 {
		return l, err
	}
	name := before[len(before)-1]
	if err := l.trace(parser, before[:len(before)-1]); err != nil {
		return nil, err
	}
	if l.waiting = l.flag(name); l.waiting == nil && len(name) > 2 && name[0] == '-' && name[1] != '-' {
		l.waiting = l.flag("-" + name[len(name)-1:]) // -vm is -v -m
	}
	if l.waiting == nil || !takesValue(l.waiting) {
		return nil, err
	}
	return l, nil
}

// trace reads words without running any hook of kong's, nor asking for what is missing.
func (l *line) trace(parser *kong.Kong, words []string) error {
	parsed, err := kong.Trace(parser, words)
	if err != nil {
		return err
	}
	l.model, l.parsed, l.node = parser.Model, parsed, parsed.Selected()
	if l.node == nil {
		l.node = parser.Model.Node
	}
	return parsed.Error
}

// propose completes the current word.
func (l *line) propose(ctx context.Context) proposal {
	name, _, hasValue := strings.Cut(l.current, "=")
	switch {
	case l.waiting != nil:
		return l.value(ctx, l.waiting.Value, "")
	case l.ended || !strings.HasPrefix(l.current, "-"):
		return l.argument(ctx)
	case !strings.HasPrefix(l.current, "--") && len(l.current) > 2:
		if f := l.flag(l.current[:2]); f != nil && takesValue(f) { // -mNAME
			p := l.value(ctx, f.Value, l.current[:2])
			p.files, p.dirs = false, false // no shell would know where the path begins
			return p
		}
	case hasValue:
		if f := l.flag(name); f != nil {
			return l.value(ctx, f.Value, name+"=")
		}
		return proposal{}
	}
	return proposal{candidates: l.flags()}
}

// argument proposes the commands beneath the one of the line, or values of its next argument.
func (l *line) argument(ctx context.Context) (p proposal) {
	given := 0
	for _, step := range l.parsed.Path {
		if step.Positional != nil {
			given++
		}
	}
	if given < len(l.node.Positional) {
		return l.value(ctx, l.node.Positional[given], "")
	}
	if last := len(l.node.Positional) - 1; last >= 0 && l.node.Positional[last].IsCumulative() {
		return l.value(ctx, l.node.Positional[last], "")
	}
	for _, n := range l.node.Children {
		if !n.Hidden {
			p.candidates = append(p.candidates, candidate{n.Name, firstSentence(n.Help)})
		}
	}
	return p
}

// flag is the one that a word such as -m or --mapping means; nil: there is none.
func (l *line) flag(word string) *kong.Flag {
	for _, level := range l.node.AllFlags(false) {
		for _, f := range level {
			short := f.Short != 0 && word == "-"+string(f.Short)
			long, dashes := strings.CutPrefix(word, "--")
			if short || dashes && (long == f.Name || slices.Contains(f.Aliases, long)) {
				return f
			}
		}
	}
	return nil
}
