package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

const completionMappings = `
[mappings.docs]
source = "~/My Documents"
remote = "nas:docs"

[mappings.photos]
source = "~/Photos"
remote = ":sftp,host=nas,pass=secret:photos"

[mappings."fotos-früher"]
source = "~/Photos"
remote = "/mnt/disk"
`

// completionRows have | between words; what is wanted ends with the directive.
var completionRows = []struct{ words, want string }{
	{"ver", "verify version :"},
	{"-v|forg", "forget :"},
	{"__compl", ":"},
	{"help|pl", "plan :"},
	{"config|", "init show check edit path reload :"},
	{"service|st", "start stop status :"},
	{"-v|service|install|--run", "--run-as :"},
	{"nosuch|", ":"},
	{"version|", ":"},
	{"run|--nosuch|--once", ":"},
	{"run|--nosuch-m|d", ":"},
	{"run|x-m|d", ":"},

	{"plan|--exit", "--exit-code :"},
	{"plan|--EXIT", "--exit-code :"},
	{"run|--copy-l", "--copy-links :"},
	{"run|--copy-links|--copy-l", ":"},
	{"run|-L|--links", ":"},
	{"run|--links|--copy-l", ":"},
	{"run|-vm|docs|--verb", "--verbose :"},
	{"run|-m|docs|--mapping", "--mappings :"},
	{"run|--exclude|a|--exclude", "--exclude --exclude-from --exclude-if-present :"},
	{"run|--|--onc", ":dirs"},
	{"stop|--nosuch=", ":"},
	{"run|--once=", "--once=true --once=false :"},

	{"run|-m|", "docs photos fotos-früher :"},
	{"run|-vm|d", "docs :"},
	{"run|-m|D", "docs :"},
	{"run|-m|x", ":"},
	{"run|-md", "-mdocs :"},
	{"run|--mapping=", "--mapping=docs --mapping=photos --mapping=fotos-früher :"},
	{"run|--mapping=F", "--mapping=fotos-früher :"},
	{"diff|--mapping|p", "photos :"},
	{"run|--mappings|wrong.toml|-m|", ":"},
	{"run|--mappings=missing.toml|-m|", ":"},
	{"run|--retries|x|-m|", ":"},

	{"--log-level|", "DEBUG INFO NOTICE ERROR :"},
	{"run|--log-level=n", "--log-level=NOTICE :"},
	{"completion|", "bash zsh fish powershell :"},
	{"completion|p", "powershell :"},
	{"completion|bash|", ":"},
	{"run|", ":dirs"},
	{"run|a|", ":"},
	{"explain|", ":files"},
	{"log|", ":files"},
	{"retry|a|b|", ":files"},
	{"run|--log-file|", ":files"},
	{"run|--log-file=", ":files"},
	{"run|-f", "-f :"},
	{"status|--source|", ":dirs"},
	{"run|--state-dir=", ":dirs"},
	{"run|--remote|nas:", ":"},
	{"run|--bwlimit|", ":"},
	{"diff|x|", ":"},
}

// TestCompletionCandidates has what needs no state and no rclone. The script completion.txt has the rest.
func TestCompletionCandidates(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"mappings.toml": completionMappings, "wrong.toml": "[mappings.docs]\nsourse = 1\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SNAPSYNC_MAPPINGS", "mappings.toml")
	for _, row := range completionRows {
		p := propose(t.Context(), strings.Split(row.words, "|"))
		if got := strings.Join(append(values(p), directive(p)), " "); got != row.want {
			t.Errorf("%q: %s, want %s", row.words, got, row.want)
		}
	}
}

func values(p proposal) (all []string) {
	for _, c := range p.candidates {
		all = append(all, c.value)
	}
	return all
}

func directive(p proposal) string {
	line, _, _ := strings.Cut(p.String(), "\n")
	return line
}

// TestCompletionKnowsTheModel: what kong has and does not hide is proposed, with its help.
func TestCompletionKnowsTheModel(t *testing.T) {
	var visit func(n *kong.Node, path []string)
	visit = func(n *kong.Node, path []string) {
		at := func(current string) []string { return append(slices.Clone(path), current) }
		var flags []string
		for _, f := range slices.Concat(n.AllFlags(true)...) {
			flags = append(flags, "--"+f.Name)
		}
		got := values(propose(t.Context(), at("--")))
		slices.Sort(flags)
		slices.Sort(got)
		if diff := cmp.Diff(flags, got); diff != "" {
			t.Errorf("%q (-model +proposed):\n%s", path, diff)
		}
		for _, c := range n.Children {
			if p := propose(t.Context(), at(c.Name)); !slices.ContainsFunc(p.candidates, func(p candidate) bool { return p.value == c.Name && p.help != "" }) {
				t.Errorf("%q: not proposed: %v", at(c.Name), p)
			}
			visit(c, at(c.Name))
		}
	}
	visit(configApp(t).Model.Node, nil)
}

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

// TestCompletionSaysNothing: no words, or words that mean nothing, are answered all the same.
func TestCompletionSaysNothing(t *testing.T) {
	for _, words := range [][]string{nil, {"--"}, {"--", ""}, {"-"}, {"--", "--", "--", "-"}, {"--", "\x00", "", "-"}, {"--", "-", "-m", "--"}} {
		var out bytes.Buffer
		complete(t.Context(), words, &out)
		if !strings.HasPrefix(out.String(), ":") {
			t.Errorf("%q: %q", words, out.String())
		}
	}
}

func TestCompletionLines(t *testing.T) {
	p := proposal{dirs: true, open: true, candidates: []candidate{{"a b", "two\tlines\nof  it"}, {"c\nd", ""}, {"e$'\"ü", ""}}}
	if got, want := p.String(), ":dirs nospace\na b\ttwo lines of it\ne$'\"ü\t\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
