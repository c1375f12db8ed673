package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/cmd/snapsync/complete"
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
		directive, values, _ := answered(grammar().Propose(t.Context(), strings.Split(row.words, "|")))
		if got := strings.Join(append(values, directive), " "); got != row.want {
			t.Errorf("%q: %s, want %s", row.words, got, row.want)
		}
	}
}

// answered is what scripts read: candidates and, each in its place, what they mean.
func answered(p complete.Proposal) (directive string, values, meanings []string) {
	directive, candidates, _ := strings.Cut(p.String(), "\n")
	for c := range strings.Lines(candidates) {
		value, meaning, _ := strings.Cut(strings.TrimSuffix(c, "\n"), "\t")
		values, meanings = append(values, value), append(meanings, meaning)
	}
	return directive, values, meanings
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
		_, got, _ := answered(grammar().Propose(t.Context(), at("--")))
		slices.Sort(flags)
		slices.Sort(got)
		if diff := cmp.Diff(flags, got); diff != "" {
			t.Errorf("%q (-model +proposed):\n%s", path, diff)
		}
		for _, c := range n.Children {
			_, values, meanings := answered(grammar().Propose(t.Context(), at(c.Name)))
			if i := slices.Index(values, c.Name); i < 0 || meanings[i] == "" {
				t.Errorf("%q: not proposed: %q %q", at(c.Name), values, meanings)
			}
			visit(c, at(c.Name))
		}
	}
	visit(configApp(t).Model.Node, nil)
}

// TestCompletionSaysNothing: no words, or words that mean nothing, are answered all the same.
func TestCompletionSaysNothing(t *testing.T) {
	for _, words := range [][]string{nil, {"--"}, {"--", ""}, {"-"}, {"--", "--", "--", "-"}, {"--", "\x00", "", "-"}, {"--", "-", "-m", "--"}} {
		var out bytes.Buffer
		grammar().Answer(t.Context(), words, &out)
		if !strings.HasPrefix(out.String(), ":") {
			t.Errorf("%q: %q", words, out.String())
		}
	}
}
