package complete

import (
	"context"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// Grammar is the command line that is completed.
type Grammar struct {
	New     func() (*kong.Kong, *settings.Globals, error) // a parser that prints nothing, and the flags that every command has
	Rewrite func([]string) []string                       // what is done to the words before they are parsed
}

// Propose completes the last of words, which there is.
func (g Grammar) Propose(ctx context.Context, words []string) Proposal {
	l, err := g.readLine(words)
	if err != nil {
		return Proposal{}
	}
	p := l.propose(ctx)
	p.candidates = matching(p.candidates, l.current)
	return p
}

// line is a command line up to the cursor.
type line struct {
	globals *settings.Globals
	model   *kong.Application
	parsed  *kong.Context // the words before the current one
	node    *kong.Node    // the command that they name
	waiting *kong.Flag    // the last of them, if the current one is its value
	ended   bool          // there was a "--": no flags any more
	current string
}

// readLine fails for a line that means nothing.
func (g Grammar) readLine(words []string) (*line, error) {
	last := len(words) - 1
	before := g.Rewrite(words[:last])
	parser, globals, err := g.New()
	if err != nil {
		return nil, err
	}
	l := &line{globals: globals, current: words[last], ended: slices.Contains(before, "--")}
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
func (l *line) propose(ctx context.Context) Proposal {
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
		return Proposal{}
	}
	return Proposal{candidates: l.flags()}
}

// argument proposes the commands beneath the one of the line, or values of its next argument.
func (l *line) argument(ctx context.Context) (p Proposal) {
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
