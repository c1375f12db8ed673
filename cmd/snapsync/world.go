package main

import (
	"errors"
	"io/fs"
	"runtime"
	"runtime/debug"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// steerEach has a command carried out on each mapping that is meant, and says what came of it.
func steerEach(w *world, sel *settings.Selection, src string, c control.Command, kind string) error {
	states, err := w.States()
	if err != nil {
		return err
	}
	return w.Each(sel, src, "", func(m *mapping.Mapping) error {
		out, err := steer.Do(w.Ctx, states, m, c)
		if err != nil {
			return err
		}
		return answer(w.Printer, m, kind, out.Count, c.Digest, out.Text)
	})
}

// eachSpec runs fn for each mapping that a command line describes, see settings.ForEach.
func eachSpec(w *world, specs []settings.Spec, fn func(*settings.Spec) error) error {
	name := func(s settings.Spec) string { return s.Name }
	return settings.ForEach(w.Ctx, w.Printer, specs, name, func(s settings.Spec) error { return fn(&s) })
}

// running returns the processes of this state directory. silent: there are others, which do not answer.
func running(r *settings.Resolver) (found []*control.Client, silent bool) {
	states, err := r.States()
	if err != nil {
		return nil, false // every command that needs it says so
	}
	return steer.Processes(r.Ctx, states)
}

// keeper returns the process that keeps a mapping true; nil: none can be asked.
func keeper(r *settings.Resolver, m *mapping.Mapping) *steer.Process {
	states, err := r.States()
	if err != nil {
		return nil
	}
	return steer.AwaitKeeper(r.Ctx, states, m)
}

// someRun reports whether there is a process that answers.
func someRun(r *settings.Resolver) bool {
	found, _ := running(r)
	return len(found) > 0
}

// answer prints the outcome of a command that steers.
func answer(p *console.Printer, m *mapping.Mapping, kind string, n int64, digest, msg string) error {
	return p.Say(text.Steering{Type: kind, Mapping: m.Label(), Count: n, Digest: digest}, "snapsync: %s: %s", m, msg)
}

// openToOthers reports whether other users can read a file or directory, where that can be told.
func openToOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// withHistory runs fn on the mappings that are meant, each opened without leaving a trace.
func withHistory(w *world, sel *settings.Selection, src, path string, fn func(*mapping.Session) error) error {
	return w.Each(sel, src, path, func(m *mapping.Mapping) error {
		s, err := m.Read()
		if err != nil {
			return err
		}
		settings.Heading(w.Printer, m)
		return errors.Join(fn(s), s.Close())
	})
}

// version is set by the release build; otherwise it comes from what the go command recorded.
var version string

func ourVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// versionLine is what --version prints.
func versionLine() string { return "snapsync " + ourVersion() }

// world is what every command gets: what is meant, and the outside world.
type world struct {
	*settings.Resolver
	*console.Printer
	screen *console.Screen // where log lines go, above the progress if there is one
	lines  *console.LogLines
	socket string // where this process can be asked; "": nowhere
}
