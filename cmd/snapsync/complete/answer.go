// Package complete says what the word at the cursor of a shell can become.
//
//	answer.go    what the scripts of `snapsync completion` ask, and what they read
//	line.go      the command line up to the cursor, as kong reads it
//	flags.go     flags that can still be given
//	values.go    values of a flag or an argument
//
// What it guarantees: whatever is wrong, with a variable or with the config file, there is an answer, in time, and
// nothing else is written anywhere. No connection is made, no password asked for. What it leaves to others: the commands
// and their flags, which a Grammar hands in.
package complete

import (
	"context"
	"io"
	"strings"
	"time"
)

// Command is what the scripts call. It is no command of kong's: whatever is wrong, with a variable or with
// the config file, the answer has no candidate and the exit status is 0.
//
//	snapsync __complete -- plan --remote n
//	:dirs nospace
//	nas:	sftp
//
// The last word is the one that is completed, up to the cursor. The first line of the answer tells what the
// shell does itself: it adds files or directories, and leaves out the blank after a candidate. Each further line is a
// candidate, a tab and what it means.
const Command = "__complete"

// timeLimit bounds how long a person waits at the prompt.
const timeLimit = 2 * time.Second

// Answer answers to Command. What hangs, such as a share that is away, is left behind: the
// process ends.
func (g Grammar) Answer(ctx context.Context, words []string, stdout io.Writer) {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	answer := make(chan Proposal, 1)
	go func() {
		var p Proposal
		defer func() {
			if recover() != nil {
				p = Proposal{}
			}
			answer <- p
		}()
		p = g.Propose(ctx, words)
	}()
	var p Proposal
	select {
	case p = <-answer:
	case <-time.After(timeLimit):
	case <-ctx.Done():
	}
	_, _ = io.WriteString(stdout, p.String())
}

// Proposal is what a word can become, in the order in which it is shown.
type Proposal struct {
	candidates []candidate
	files      bool // the shell adds files and directories
	dirs       bool // the shell adds directories
	open       bool // the word goes on after a candidate
}

type candidate struct{ value, help string }

// String is the answer as the scripts read it. What would break a line is left out.
func (p Proposal) String() string {
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
