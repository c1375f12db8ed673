package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"charm.land/huh/v2"
	"github.com/mattn/go-isatty"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// asker puts questions to a person. An error means that no answer will come.
type asker interface {
	// text asks for a line; check says what is wrong with it.
	text(title, help, preset string, check func(string) error) (string, error)
	// choose returns the index of one of options.
	choose(title, help string, options []string, preset int) (int, error)
	// several returns the indexes of any of options.
	several(title, help string, options []string) ([]int, error)
	confirm(title, help string, preset bool) (bool, error)
}

// asker asks with what a terminal can do, or line by line: where there is none, and for a person whose
// screen reader wants lines (ACCESSIBLE=1, as other programs have it).
func (a *app) asker() asker {
	if a.interactive() && os.Getenv("ACCESSIBLE") == "" && os.Getenv("TERM") != "dumb" {
		return &screenAsker{ctx: a.ctx, out: a.stdout}
	}
	return &lineAsker{in: bufio.NewReader(os.Stdin), out: a.stdout, echo: !isatty.IsTerminal(os.Stdin.Fd())}
}

var errNoAnswer = &exit.Failure{
	Status: exit.StatusUsage, Err: errors.New("a question got no answer, and nothing was written"),
	Hint: "with --yes nothing is asked, and everything is taken from flags",
}

var errGivenUp = &exit.Failure{Status: exit.StatusInterrupted, Err: errors.New("interrupted: nothing was written")}

// screenAsker shows one question at a time, which leaves the screen when it is answered.
type screenAsker struct {
	ctx context.Context
	out io.Writer
}

func (s *screenAsker) ask(field huh.Field) error {
	form := huh.NewForm(huh.NewGroup(field)).WithOutput(s.out).WithTheme(huh.ThemeFunc(huh.ThemeBase16))
	err := form.RunWithContext(s.ctx)
	if errors.Is(err, huh.ErrUserAborted) {
		return errGivenUp
	}
	return err
}

func (s *screenAsker) text(title, help, preset string, check func(string) error) (string, error) {
	answer := preset
	err := s.ask(huh.NewInput().Title(title).Description(help).Value(&answer).Validate(check))
	return answer, err
}

func (s *screenAsker) choose(title, help string, options []string, preset int) (int, error) {
	answer := preset
	const most = 12 // the rest is scrolled to, so that the question stays on the screen
	err := s.ask(huh.NewSelect[int]().Title(title).Description(help).Options(numbered(options)...).Height(min(len(options), most) + 2).Value(&answer))
	return answer, err
}

func (s *screenAsker) several(title, help string, options []string) ([]int, error) {
	var answer []int
	err := s.ask(huh.NewMultiSelect[int]().Title(title).Description(help).Options(numbered(options)...).Height(len(options) + 2).Value(&answer))
	return answer, err
}

func (s *screenAsker) confirm(title, help string, preset bool) (bool, error) {
	answer := preset
	err := s.ask(huh.NewConfirm().Title(title).Description(help).Value(&answer))
	return answer, err
}

func numbered(options []string) []huh.Option[int] {
	var out []huh.Option[int]
	for i, o := range options {
		out = append(out, huh.NewOption(o, i))
	}
	return out
}

// lineAsker prints questions and reads lines; an empty one takes what is in brackets. huh has such a mode,
// too; it shows no explanations, and takes the end of the input for an answer.
type lineAsker struct {
	in   *bufio.Reader
	out  io.Writer
	echo bool // answers are printed: nobody typed them here
}

// ask repeats a question until take is content.
func (l *lineAsker) ask(title, help, preset string, options []string, take func(string) error) error {
	fmt.Fprintf(l.out, "\n%s\n", title)
	if help != "" {
		fmt.Fprintf(l.out, "  %s\n", help)
	}
	for i, o := range options {
		fmt.Fprintf(l.out, "  %d  %s\n", i+1, o)
	}
	for {
		fmt.Fprintf(l.out, "[%s] > ", preset)
		line, err := l.in.ReadString('\n')
		if err != nil && line == "" {
			fmt.Fprintln(l.out)
			return errNoAnswer
		}
		if l.echo {
			fmt.Fprintln(l.out, strings.TrimSpace(line))
		}
		if line = strings.TrimSpace(line); line == "" {
			line = preset
		}
		if err := take(line); err == nil {
			return nil
		} else if _, werr := fmt.Fprintf(l.out, "%v\n", err); werr != nil {
			return werr
		}
	}
}

func (l *lineAsker) text(title, help, preset string, check func(string) error) (answer string, err error) {
	err = l.ask(title, help, preset, nil, func(line string) error {
		answer = line
		return check(line)
	})
	return answer, err
}

func (l *lineAsker) choose(title, help string, options []string, preset int) (answer int, err error) {
	err = l.ask(title, help, strconv.Itoa(preset+1), options, func(line string) error {
		answer, err = numberOf(line, len(options))
		return err
	})
	return answer, err
}

func (l *lineAsker) several(title, help string, options []string) (answer []int, err error) {
	err = l.ask(title, help+" Numbers, with spaces in between.", "", options, func(line string) error {
		answer = nil
		for _, word := range strings.Fields(line) {
			i, err := numberOf(word, len(options))
			if err != nil {
				return err
			}
			answer = append(answer, i)
		}
		slices.Sort(answer)
		answer = slices.Compact(answer)
		return nil
	})
	return answer, err
}

func (l *lineAsker) confirm(title, help string, preset bool) (answer bool, err error) {
	word := map[bool]string{true: "yes", false: "no"}
	err = l.ask(title, help, word[preset], nil, func(line string) error {
		switch strings.ToLower(line) {
		case "y", "yes":
			answer = true
		case "n", "no":
			answer = false
		default:
			return errors.New("yes or no?")
		}
		return nil
	})
	return answer, err
}

// numberOf turns what a person counts from 1 into an index.
func numberOf(word string, options int) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > options {
		return 0, fmt.Errorf("a number from 1 to %d is wanted", options)
	}
	return n - 1, nil
}
