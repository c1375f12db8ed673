package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// asked is an asker whose answers are written down, and what it prints.
func asked(t *testing.T, answers string) (*Asker, *strings.Builder) {
	out := &strings.Builder{}
	return &Asker{ctx: t.Context(), in: bufio.NewReader(strings.NewReader(answers)), out: out, width: 80, height: 24}, out
}

func TestAskerAnswers(t *testing.T) {
	options := []string{"nas: (sftp)", "nas2: (sftp)", "old: (s3)", "A directory: another disk"}
	choose := func(q *Asker) (any, error) { return q.Choose("Where?", "", options, 2) }
	several := func(q *Asker) (any, error) { return q.Several("Which?", "", options) }
	text := func(q *Asker) (any, error) {
		return q.Line("What?", "", "this", func(s string) error {
			if s == "bad" {
				return errors.New("not that")
			}
			return nil
		})
	}
	confirm := func(q *Asker) (any, error) { return q.Confirm("Really?", "", false) }
	for name, c := range map[string]struct {
		ask     func(*Asker) (any, error)
		answers string
		want    any
		said    string // part of what is printed
	}{
		"default":             {choose, "\n", 2, "[3] > "},
		"number":              {choose, "2\n", 1, "  2  nas2: (sftp)\n"},
		"too large":           {choose, "5\n1\n", 0, "a number from 1 to 4 is wanted\n[3] > "},
		"zero":                {choose, "0\n1\n", 0, "a number from 1 to 4 is wanted"},
		"whole name":          {choose, "NAS\n", 0, ""},
		"with a colon":        {choose, "nas2:\n", 1, ""},
		"part":                {choose, "disk\n", 3, ""},
		"part of two":         {choose, "sftp\n2\n", 1, "which of these 2?"},
		"part of none":        {choose, "ftps\n4\n", 3, `none has "ftps" in it`},
		"last line unended":   {choose, "2", 1, ""},
		"none":                {several, "\n", []int(nil), "[none] > "},
		"list and range":      {several, "4,1-2\n", []int{0, 1, 3}, "as in 1,3-4"},
		"blanks and names":    {several, "old nas, 3\n", []int{0, 2}, ""},
		"range upside down":   {several, "3-1\n3\n", []int{2}, "3-1: numbers from 1 to 4 are wanted"},
		"range beyond":        {several, "3-9\n3\n", []int{2}, "3-9: numbers from 1 to 4 are wanted"},
		"range without ends":  {several, "-\n1\n", []int{0}, `none has "-" in it`},
		"text":                {text, " that \n", "that", ""},
		"text default":        {text, "\n", "this", "[this] > "},
		"text refused":        {text, "bad\ngood\n", "good", "not that\n[this] > "},
		"text emptied":        {text, "\"\"\n", "", ""},
		"yes":                 {confirm, "Y\n", true, ""},
		"confirm default":     {confirm, "\n", false, "[no] > "},
		"confirm otherwise":   {confirm, "maybe\nyes\n", true, "yes or no?"},
		"options are numbers": {func(q *Asker) (any, error) { return q.Choose("Port?", "", []string{"22", "2"}, 0) }, "2\n", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q, out := asked(t, c.answers)
			got, err := c.ask(q)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
			if !strings.Contains(out.String(), c.said) {
				t.Errorf("%q is not in %q", c.said, out)
			}
		})
	}
}

// No answer is none, at the end of the input and after a wrong one.
func TestAskerWithoutAnswer(t *testing.T) {
	for _, answers := range []string{"", "9\n"} {
		q, _ := asked(t, answers)
		if _, err := q.Choose("Where?", "", []string{"here"}, 0); !errors.Is(err, errNoAnswer) {
			t.Errorf("%q: %v", answers, err)
		}
	}
}

// Ctrl-C is heard while a question waits.
func TestAskerInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	q := &Asker{ctx: ctx, in: bufio.NewReader(r), out: promptSeen(cancel), width: 80}
	if _, err := q.Line("What?", "", "", func(string) error { return nil }); !errors.Is(err, errGivenUp) {
		t.Errorf("got %v", err)
	}
}

type promptSeen func()

func (f promptSeen) Write(p []byte) (int, error) {
	if strings.HasSuffix(string(p), "> ") {
		f()
	}
	return len(p), nil
}

// A list that is longer than the screen is set in columns, and cut if that is not enough; what is long has its
// line all the same.
func TestAskerLists(t *testing.T) {
	remotes := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("remote-%03d: (sftp)", i))
		}
		return append(all, "A new remote: cloud storage, a server (rclone asks for it)")
	}
	for _, c := range []struct {
		n, width, height int
		cut              bool
	}{
		{5, 80, 24, false}, {50, 80, 24, false}, {50, 200, 50, false}, {500, 80, 24, true}, {500, 40, 10, true},
		{500, 80, 0, false}, // no screen
	} {
		q, out := asked(t, "")
		q.width, q.height = c.width, c.height
		_, _ = q.Choose("Where?", "", remotes(c.n), 0)
		text := strings.TrimSpace(out.String())
		lines := strings.Split(text, "\n")
		if c.height > 0 && len(lines) > c.height {
			t.Errorf("%d at %d×%d: %d lines:\n%s", c.n, c.width, c.height, len(lines), text)
		}
		if slices.ContainsFunc(lines, func(s string) bool { return len([]rune(s)) > c.width }) {
			t.Errorf("%d at %d×%d: too wide:\n%s", c.n, c.width, c.height, text)
		}
		for _, want := range []string{" 1  remote-000: (sftp)", fmt.Sprintf(" %d  A new remote", c.n+1)} {
			if !strings.Contains(text, want) {
				t.Errorf("%d at %d×%d: no %q:\n%s", c.n, c.width, c.height, want, text)
			}
		}
		if cut := strings.Contains(text, "more: type a part of a name"); cut != c.cut {
			t.Errorf("%d at %d×%d: cut %v:\n%s", c.n, c.width, c.height, cut, text)
		}
	}
}
