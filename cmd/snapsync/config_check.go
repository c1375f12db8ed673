package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
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

// checkJSON is one line of `config check --json`.
type checkJSON struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping,omitempty"` // "": a problem of the file as a whole
	OK      bool   `json:"ok"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Text    string `json:"text"`
}

// Run implements the command.
func (*configCheckCmd) Run(a *app) error {
	file, err := a.configFile()
	if errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("'snapsync config init' makes it", "%s does not exist", show(a.configPath()))
	}
	var all []spec
	if err == nil {
		err = a.checkProcess(file)
	}
	if err == nil {
		all, err = a.specsOf(file, &spec{})
	}
	if err == nil {
		err = a.together(file, all)
	}
	if err != nil {
		return a.tellProblems("", err)
	}
	return a.checkEach(file, all)
}

// checkProcess tries the keys of the whole process on values of their own, as this process may have got
// others from outside.
func (a *app) checkProcess(file *config.File) error {
	s := &settings{}
	b := &app{globals: &s.globals, given: map[string]origin{}, ctx: a.ctx, log: a.log}
	found := b.apply(file, s.flags(), file.Process)
	return asUsage(append(found, s.wrong(file)...).Err())
}

// checkEach checks the mappings one by one and tells of each.
func (a *app) checkEach(file *config.File, all []spec) error {
	bad := 0
	open, err := openToOthers(file.Path)
	if err != nil {
		return err
	}
	for i := range all {
		s := &all[i]
		err := a.checkMapping(file, s)
		if err == nil && open && hasSecret(s.Remote) {
			err = asUsage(config.Problems{file.Problem(file.Find(file.Mapping(s.name), "remote"),
				"remote: it holds a secret, and other users can read this file: chmod 600 %s", shellWord(file.Path))})
		}
		if err != nil {
			bad++
			if err := a.tellProblems(s.name, err); !errors.As(err, new(*exit.Failure)) {
				return err
			}
			continue
		}
		if err := a.tellOK(s); err != nil {
			return err
		}
	}
	switch {
	case bad > 0:
		return exit.Quiet(exit.StatusUsage)
	case len(all) == 0:
		return exit.Usage("'snapsync config init' adds one", "%s has no mappings", show(file.Path))
	}
	return nil
}

// openToOthers reports whether other users can read a file, where that can be told.
func openToOthers(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("check rights: %w", err)
	}
	return onUnix && info.Mode().Perm()&0o077 != 0, nil
}

// hasSecret reports whether a remote, as it is written, proves who one is.
func hasSecret(remote string) bool {
	_, display, err := remoteKey(remote)
	return err == nil && strings.Contains(display, "XXX")
}

// checkMapping tries everything about a mapping that can be tried without its remote.
func (a *app) checkMapping(file *config.File, s *spec) error {
	var found config.Problems
	table := file.Mapping(s.name)
	problem := func(key string, err error) {
		if err == nil {
			return
		}
		at := file.Find(table, key)
		if at == (config.Position{}) {
			at = table.At
		}
		found = append(found, file.Problem(at, "%s: %w", key, withHint(err)))
	}
	if _, err := findSource(s.src); err != nil {
		problem("source", err)
		if err := rclone.Overlaps(s.src, s.Remote); errors.Is(err, remote.ErrFatal) { // the remote is not known
			problem("remote", err)
		}
	} else {
		m, err := a.mappingFor(s.src, &s.target)
		problem("remote", err)
		if err == nil {
			problem("backup-dir", a.checkPlaces(m, &s.syncFlags))
		}
	}
	key, err := s.brokenFilter()
	problem(key, err)
	if err == nil {
		filter, _ := s.mirrored()
		if source, err := realPath(s.src); err == nil {
			problem("source", a.stateOutside(source, filter))
		}
	}
	return asUsage(found.Err())
}

// brokenFilter finds the key of the filter that cannot be read, by trying them one by one.
func (f *syncFlags) brokenFilter() (key string, err error) {
	if _, err = f.mirrored(); err == nil {
		return "", nil
	}
	var one filterFlags
	all, flags := flagsOf(&f.filterFlags), flagsOf(&one)
	for i := range flags {
		one = filterFlags{}
		flags[i].Target.Set(all[i].Target)
		if _, err := one.filter(); err != nil {
			return flags[i].Name, err
		}
	}
	return "filter", err
}

// tellProblems prints what is wrong, and returns the failure that ends the process.
func (a *app) tellProblems(mapping string, err error) error {
	problems := config.Problems(nil)
	if !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		line := checkJSON{"problem", mapping, false, p.Path, p.At.Line, p.At.Column, p.Err.Error()}
		var werr error
		if a.JSON {
			werr = writeJSON(a.stdout, line)
		} else {
			_, werr = fmt.Fprintf(a.stdout, "PROBLEM  %v\n", p)
		}
		if werr != nil {
			return werr
		}
	}
	return exit.Quiet(exit.StatusUsage)
}

func (a *app) tellOK(s *spec) error {
	_, display, err := remoteKey(s.Remote)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s → %s", show(s.src), display)
	if a.JSON {
		return writeJSON(a.stdout, checkJSON{Type: "mapping", Mapping: s.name, OK: true, Text: text})
	}
	if a.Quiet {
		return nil
	}
	_, err = fmt.Fprintf(a.stdout, "ok       %s: %s\n", s.name, text)
	return err
}
