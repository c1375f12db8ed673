package answers_test

import (
	"slices"
	"strings"
	"testing"

	_ "github.com/rclone/rclone/backend/local"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/sync"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configflags"
	_ "github.com/rclone/rclone/fs/log"
	"github.com/spf13/pflag"

	"github.com/snapsync/snapsync/backends/rclone/answers"
)

// ofRclone are the options that `rclone sync` of the linked version has: those of the registry, with their letters, and the flags
// that are no options yet. Those of backends, which a remote has as well, are left out but for the ones that every
// remote is asked for.
func ofRclone(t *testing.T) map[string]string {
	t.Helper()
	letters := map[string]string{}
	for _, block := range fs.OptionsRegistry {
		for i := range block.Options {
			letters[block.Options[i].Name] = block.Options[i].ShortOpt
		}
	}
	for _, backend := range fs.Registry {
		for i := range backend.Options {
			if o := &backend.Options[i]; o.NoPrefix {
				letters[o.Name] = o.ShortOpt
			}
		}
	}
	add := func(f *pflag.Flag) { letters[answers.Canonical(f.Name)] = f.Shorthand }
	common := pflag.NewFlagSet("", pflag.ContinueOnError)
	configflags.AddFlags(fs.GetConfig(t.Context()), common)
	common.VisitAll(add)
	pflag.CommandLine.VisitAll(add)
	for _, c := range cmd.Root.Commands() {
		if c.Name() == "sync" {
			c.Flags().VisitAll(add)
		}
	}
	for _, needed := range []string{"fast_list", "exclude", "log_file", "rc_addr", "copy_links", "stats", "create_empty_src_dirs"} {
		if _, found := letters[needed]; !found {
			t.Fatalf("rclone's %s was not found: this looks in the wrong places", needed)
		}
	}
	return letters
}

// ofDevelopers are flags for who works on rclone.
var ofDevelopers = []string{"cpuprofile", "memprofile", "version", "help"}

// Each option of the linked rclone has a class, and each in the table is one of it.
func TestEveryOptionIsClassed(t *testing.T) {
	letters := ofRclone(t)
	used := map[string]bool{}
	for name, letter := range letters {
		o, known := answers.Of(name)
		used[o.Name] = true
		switch {
		case slices.Contains(ofDevelopers, name) || strings.HasPrefix(name, "test."):
		case !known:
			t.Errorf("rclone's option %s has no class", name)
		case !strings.HasSuffix(o.Name, "*") && o.Short != letter:
			t.Errorf("rclone's option %s has the letter %q, here %q", name, letter, o.Short)
		}
	}
	for _, name := range answers.Names() {
		if !used[name] {
			t.Errorf("rclone has no option %s", name)
		}
	}
}
