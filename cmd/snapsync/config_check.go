package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/remote"
)

type configCheckCmd struct{}

// Help is the long text of `config check --help`.
func (*configCheckCmd) Help() string {
	return `It checks the keys and values of the config file, and for each mapping that the source exists, that rclone knows the
remote, that the rules of its filter can be read, and that no two mappings undo each other's work. No remote is
connected to and nothing is changed; 'snapsync doctor' connects.

Exit status: 0 if all is well, 2 if something is not.

Examples:

    snapsync config check
    snapsync config check --mappings new.toml && mv new.toml ~/.config/snapsync/config.toml`
}

// Run implements the command.
func (*configCheckCmd) Run(w *world) error {
	file, err := w.ConfigFile()
	if errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("'snapsync config init' makes it", "%s does not exist", text.Path(w.ConfigPath()))
	}
	var all []settings.Spec
	if err == nil {
		err = checkProcess(file)
	}
	if err == nil {
		all, err = w.SpecsOf(file, &settings.Spec{})
	}
	if err == nil {
		err = w.Together(file, all)
	}
	if err != nil {
		return tellProblems(w, "", err)
	}
	return checkEach(w, file, all)
}

// checkProcess tries the keys of the whole process on values of their own, as this process may have got
// others from outside.
func checkProcess(file *config.File) error {
	s := &settings.Process{}
	found := settings.Apply(file, s.Flags(), file.Process)
	return settings.AsUsage(append(found, s.Wrong(file)...).Err())
}

// checkEach checks the mappings one by one and tells of each.
func checkEach(w *world, file *config.File, all []settings.Spec) error {
	bad := 0
	info, err := os.Stat(file.Path)
	if err != nil {
		return fmt.Errorf("check rights: %w", err)
	}
	for i := range all {
		s := &all[i]
		err := checkMapping(w, file, s)
		if err == nil && openToOthers(info) && settings.HasSecret(s.Remote) {
			err = settings.AsUsage(config.Problems{file.Problem(file.Find(file.Mapping(s.Name), "remote"),
				"remote: it holds a secret, and other users can read this file: chmod 600 %s", text.ShellWord(file.Path))})
		}
		if err != nil {
			bad++
			if err := tellProblems(w, s.Name, err); !errors.As(err, new(*exit.Failure)) {
				return err
			}
			continue
		}
		_, display, err := settings.RemoteKey(s.Remote)
		if err != nil {
			return err
		}
		msg := fmt.Sprintf("%s → %s", text.Path(s.Src), display)
		if err := w.Say(text.Check{Type: "mapping", Mapping: s.Name, OK: true, Text: msg}, "ok       %s: %s", s.Name, msg); err != nil {
			return err
		}
	}
	switch {
	case bad > 0:
		return exit.Quiet(exit.StatusUsage)
	case len(all) == 0:
		return exit.Usage("'snapsync config init' adds one", "%s has no mappings", text.Path(file.Path))
	}
	return nil
}

// checkMapping tries everything about a mapping that can be tried without its remote.
func checkMapping(w *world, file *config.File, s *settings.Spec) error {
	var found config.Problems
	table := file.Mapping(s.Name)
	problem := func(key string, err error) {
		if err == nil {
			return
		}
		at := file.Find(table, key)
		if at == (config.Position{}) {
			at = table.At
		}
		found = append(found, file.Problem(at, "%s: %w", key, settings.WithHint(err)))
	}
	if _, err := mapping.FindSource(s.Src); err != nil {
		problem("source", err)
		if err := rclone.Overlaps(s.Src, s.Remote); errors.Is(err, remote.ErrFatal) { // the remote is not known
			problem("remote", err)
		}
	} else {
		m, err := w.MappingFor(s.Src, &s.Target)
		problem("remote", err)
		if err == nil {
			problem("backup-dir", w.CheckPlaces(m, &s.SyncFlags))
		}
	}
	key, err := brokenFilter(&s.SyncFlags)
	problem(key, err)
	if err == nil {
		filter, _ := s.Mirrored()
		if source, err := mapping.RealPath(s.Src); err == nil {
			problem("source", w.StateOutside(source, filter))
		}
	}
	return settings.AsUsage(found.Err())
}

// brokenFilter finds the key of the filter that cannot be read, by trying them one by one.
func brokenFilter(f *settings.SyncFlags) (key string, err error) {
	if _, err = f.Mirrored(); err == nil {
		return "", nil
	}
	var one settings.FilterFlags
	all, flags := settings.FlagsOf(&f.FilterFlags), settings.FlagsOf(&one)
	for i := range flags {
		one = settings.FilterFlags{}
		flags[i].Target.Set(all[i].Target)
		if _, err := one.Rules(); err != nil {
			return flags[i].Name, err
		}
	}
	return "filter", err
}

// tellProblems prints what is wrong, and returns the failure that ends the process.
func tellProblems(w *world, mapping string, err error) error {
	problems := config.Problems(nil)
	if !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		line := text.Check{Type: "problem", Mapping: mapping, Path: p.Path, Line: p.At.Line, Column: p.At.Column, Text: p.Err.Error()}
		if err := w.Row(line, "PROBLEM  %v", p); err != nil {
			return err
		}
	}
	return exit.Quiet(exit.StatusUsage)
}
