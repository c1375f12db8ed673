package console

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

	"github.com/charmbracelet/x/ansi"
	"github.com/mattn/go-isatty"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Asker puts questions to a person and reads the answers, line by line; an empty line takes what is in brackets.
// What it cannot take it says, and asks again. An error means that no answer will come.
//
//	Where shall it go?
//	  Remotes are those of rclone's configuration.
//	  1  nas: (sftp)
//	  2  A directory: another disk, a share that is mounted
//	[1] >
type Asker struct {
	ctx           context.Context // its end, as by Ctrl-C, gives up
	in            *bufio.Reader
	out           io.Writer
	echo          bool // answers are printed: nobody typed them here
	width, height int  // of the screen; height 0: there is none, and nothing scrolls away
}

// NewAsker asks on stdin and out.
func NewAsker(ctx context.Context, out io.Writer) *Asker {
	q := &Asker{ctx: ctx, in: bufio.NewReader(os.Stdin), out: out, echo: !isatty.IsTerminal(os.Stdin.Fd()), width: 80}
	if width, height := Size(out); width > 0 {
		q.width, q.height = width, height
	}
	return q
}

var errNoAnswer = &exit.Failure{
	Status: exit.StatusUsage, Err: errors.New("a question got no answer, and nothing was written"),
	Hint: "with --yes nothing is asked, and everything is taken from flags",
}

var errGivenUp = &exit.Failure{Status: exit.StatusInterrupted, Err: errors.New("interrupted: nothing was written")}

// Line asks for a line; check says what is wrong with it. Two quotes are an empty line where there is a preset.
func (q *Asker) Line(title, help, preset string, check func(string) error) (answer string, err error) {
	q.pose(title, help, nil)
	err = q.ask(preset, func(line string) error {
		if answer = line; line == `""` {
			answer = ""
		}
		return check(answer)
	})
	return answer, err
}

// Choose returns the index of one of options, which is named by its number or by a part of it.
func (q *Asker) Choose(title, help string, options []string, preset int) (answer int, err error) {
	q.pose(title, help, options)
	err = q.ask(strconv.Itoa(preset+1), func(line string) error {
		answer, err = q.pick(line, options)
		return err
	})
	return answer, err
}

// Several returns the indexes of any of options.
func (q *Asker) Several(title, help string, options []string) (answer []int, err error) {
	q.pose(title, help+" Numbers or names, as in 1,3-4.", options)
	err = q.ask(nothing, func(line string) error {
		answer, err = q.pickAny(line, options)
		return err
	})
	return answer, err
}

// nothing is what takes none of several options.
const nothing = "none"

// Confirm asks for yes or no.
func (q *Asker) Confirm(title, help string, preset bool) (answer bool, err error) {
	q.pose(title, help, nil)
	word := map[bool]string{true: "yes", false: "no"}
	err = q.ask(word[preset], func(line string) error {
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

// pose prints a question.
func (q *Asker) pose(title, help string, options []string) {
	fmt.Fprintf(q.out, "\n%s\n", ansi.Wrap(title, q.width, ""))
	taken := 3 // the title, the line before it and the prompt
	if help = strings.TrimSpace(help); help != "" {
		text := ansi.Wrap(help, q.width-2, "")
		fmt.Fprintf(q.out, "  %s\n", strings.ReplaceAll(text, "\n", "\n  "))
		taken += 1 + strings.Count(text, "\n")
	}
	all := make([]int, len(options))
	for i := range options {
		all[i] = i
	}
	q.list(all, options, max(q.height-taken, 3))
}

// list prints those options with their numbers: one a line if there is room, else the short ones in columns, and
// of these no more than there is room for.
func (q *Asker) list(which []int, options []string, rows int) {
	digits := len(strconv.Itoa(len(options)))
	numbered := func(i int) string { return fmt.Sprintf("  %*d  %s", digits, i+1, options[i]) }
	short := 0 // how many are in columns
	if q.height > 0 && len(which) > rows {
		for short < len(which) && ansi.StringWidth(numbered(which[short])) <= max(q.width/2, 30) {
			short++
		}
	}
	var rest []string
	indent := strings.Repeat(" ", digits+4)
	for _, i := range which[short:] {
		text := ansi.Wrap(options[i], max(q.width-len(indent), 1), "")
		rest = append(rest, strings.Split(fmt.Sprintf("  %*d  %s", digits, i+1, strings.ReplaceAll(text, "\n", "\n"+indent)), "\n")...)
	}
	lines, hidden := columns(which[:short], numbered, q.width, max(rows-len(rest), 2))
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("  … %s more: type a part of a name", text.Count(int64(hidden))))
	}
	for _, line := range append(lines, rest...) {
		fmt.Fprintln(q.out, line)
	}
}

// columns sets texts beneath each other in as many columns as a width has room for, and leaves out those at the
// end that need more rows, of which one is for saying so.
func columns(which []int, text func(int) string, width, rows int) (lines []string, hidden int) {
	if len(which) == 0 {
		return nil, 0
	}
	widest := 0
	for _, i := range which {
		widest = max(widest, ansi.StringWidth(text(i)))
	}
	across := max(width/widest, 1)
	if room := across * rows; len(which) > room {
		shown := max(across*(rows-1), 1)
		hidden, which = len(which)-shown, which[:shown]
	}
	down := (len(which) + across - 1) / across
	lines = make([]string, down)
	for n, i := range which {
		line := &lines[n%down]
		*line += strings.Repeat(" ", n/down*widest-ansi.StringWidth(*line)) + text(i)
	}
	return lines, hidden
}

// ask repeats the prompt until take is content.
func (q *Asker) ask(preset string, take func(string) error) error {
	prompt := "> "
	if preset != "" {
		prompt = "[" + preset + "] > "
	}
	for {
		fmt.Fprint(q.out, prompt)
		line, err := q.line()
		if err != nil {
			fmt.Fprintln(q.out)
			return err
		}
		if q.echo {
			fmt.Fprintln(q.out, line)
		}
		if line == "" {
			line = preset
		}
		if err := take(line); err == nil {
			return nil
		} else if _, werr := fmt.Fprintf(q.out, "%v\n", err); werr != nil {
			return werr
		}
	}
}

// line waits for a line or for being interrupted, whichever comes first. The reading of a line that nobody
// waits for any more ends with the process.
func (q *Asker) line() (string, error) {
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := q.in.ReadString('\n')
		read <- answer{line, err}
	}()
	select {
	case <-q.ctx.Done():
		return "", errGivenUp
	case a := <-read:
		if a.err != nil && a.line == "" {
			return "", errNoAnswer
		}
		return strings.TrimSpace(a.line), nil
	}
}

// pick is the option that a word means: by its number, by its whole name or by a part of it that no other has.
func (q *Asker) pick(word string, options []string) (int, error) {
	if n, err := strconv.Atoi(word); err == nil {
		if n < 1 || n > len(options) {
			return 0, fmt.Errorf("a number from 1 to %d is wanted", len(options))
		}
		return n - 1, nil
	}
	var found []int
	for i, o := range options {
		name, _, _ := strings.Cut(o, ":")
		if strings.EqualFold(o, word) || strings.EqualFold(name, strings.TrimSuffix(word, ":")) {
			return i, nil
		}
		if strings.Contains(strings.ToLower(o), strings.ToLower(word)) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("none has %q in it: a number from 1 to %d is wanted, or a part of a name", word, len(options))
	case 1:
		return found[0], nil
	}
	q.list(found, options, max(q.height-2, 3))
	return 0, fmt.Errorf("which of these %d?", len(found))
}

// pickAny is the options that words mean, each of which may be a range of numbers.
func (q *Asker) pickAny(line string, options []string) (picked []int, err error) {
	if line == nothing {
		return nil, nil
	}
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' }) {
		first, last, isRange := strings.Cut(word, "-")
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if !isRange || errFrom != nil || errTo != nil {
			i, err := q.pick(word, options)
			if err != nil {
				return nil, err
			}
			picked = append(picked, i)
			continue
		}
		if from < 1 || to > len(options) || from > to {
			return nil, fmt.Errorf("%s: numbers from 1 to %d are wanted", word, len(options))
		}
		for n := from; n <= to; n++ {
			picked = append(picked, n-1)
		}
	}
	slices.Sort(picked)
	return slices.Compact(picked), nil
}
