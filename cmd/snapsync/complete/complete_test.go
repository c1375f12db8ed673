package complete

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

func TestCompletionOfOpposites(t *testing.T) {
	var c struct {
		Links bool `negatable:"" short:"l"`
		Color bool `negatable:"plain"`
	}
	k, err := kong.New(&c, kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range k.Model.Flags {
		got = append(got, spellings(f)...)
	}
	if diff := cmp.Diff([]string{"--links", "-l", "--no-links", "--color", "--plain"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCompletionLines(t *testing.T) {
	p := Proposal{dirs: true, open: true, candidates: []candidate{{"a b", "two\tlines\nof  it"}, {"c\nd", ""}, {"e$'\"ü", ""}}}
	if got, want := p.String(), ":dirs nospace\na b\ttwo lines of it\ne$'\"ü\t\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
