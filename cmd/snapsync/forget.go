package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type forgetCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping, which may be gone. Default: as --source."`
	Yes bool   `group:"which" short:"y" config:"-" help:"Do not ask."`
	settings.Selection
}

// Help is the long text of `forget --help`.
func (*forgetCmd) Help() string {
	return `It removes what snapsync remembers of one mapping: a typo, or one that is over. Nothing is changed at the source, at
the remote or in the config file, and neither source nor remote needs to be there any more. -m takes the name in the
config file, or that of the state, which 'snapsync status --json' has as id.

If the same source is brought to the same remote again, that begins as for the first time: the remote is listed once,
and what is there already is recognised and not sent again. With --complete-sync what only the remote has is deleted
then, within the limits of --max-delete.

It shows what it removes and asks, on a terminal; elsewhere it wants --yes. A mapping that a process has is refused.

Examples:

    snapsync forget ~/wrok --remote nas:work
    snapsync forget -m photos
    snapsync forget -m work-fa0b30115445 --yes`
}

// Run implements the command.
func (c *forgetCmd) Run(w *world) error {
	m, err := c.choose(w)
	if err != nil {
		return err
	}
	if !m.HasState() {
		return &exit.Failure{
			Status: exit.StatusError, Err: fmt.Errorf("nothing is remembered of %s", m),
			Hint: "it was never synced, or was forgotten already; 'snapsync config edit' takes it out of the config file, if it is there",
		}
	}
	if err := unattended(w, m); err != nil {
		return err
	}
	files, err := c.tell(w, m)
	if err != nil {
		return err
	}
	if err := c.agree(w); err != nil {
		return err
	}
	if err := m.Forget(); err != nil {
		return err
	}
	text := "forgotten"
	if m.Name != "" {
		text += "; it is still in the config file: 'snapsync config edit' takes it out"
	}
	return answer(w.Printer, m, "forgotten", files, "", text)
}

// choose finds the one mapping that is meant, among them those whose state cannot be read.
func (c *forgetCmd) choose(w *world) (*mapping.Mapping, error) {
	if c.Mapping != "" && c.Src+c.Source == "" {
		states, err := w.States()
		if err != nil {
			return nil, err
		}
		all, err := states.List()
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			if m.ID == c.Mapping {
				return m, nil
			}
		}
	}
	found, err := w.Candidates(&c.Selection, c.Src)
	if err != nil {
		return nil, err
	}
	switch found = c.Narrow(found, c.Src, ""); len(found) {
	case 0:
		return nil, settings.NoMapping(&c.Selection, c.Src, "'snapsync status' lists those that exist")
	case 1:
		return found[0], nil
	}
	var names []string
	for _, m := range found {
		name := m.String()
		if m.Name == "" && m.Err == nil {
			name = m.ID + ": " + name
		}
		names = append(names, "  "+name)
	}
	return nil, exit.Usage("name one with -m and the first word of its line", "several mappings match:\n%s", strings.Join(names, "\n"))
}

// unattended refuses a mapping that a process has, or waits to have.
func unattended(w *world, m *mapping.Mapping) error {
	if h, running := mapping.HolderOf(m.Dir); running {
		err := mapping.LockedBy(h)
		if h.Socket == "" {
			return err
		}
		return inUse(err)
	}
	if p := keeper(w.Resolver, m); p != nil {
		return inUse(errors.New("a process waits to keep this mapping up to date"))
	}
	return nil
}

func inUse(err error) error {
	return &exit.Failure{
		Status: exit.StatusLocked, Err: err,
		Hint: "'snapsync stop' ends it; or take the mapping out of the config file, 'snapsync config reload', and forget it then",
	}
}

// tell says what is removed and what is not, and returns how many files the remote is known to hold.
func (c *forgetCmd) tell(w *world, m *mapping.Mapping) (files int64, err error) {
	known := []string{"what it knows cannot be read: " + fmt.Sprint(m.Err)}
	if m.Err == nil {
		if files, known, err = knowledge(w, m); err != nil {
			known = []string{"what it knows cannot be read: " + err.Error()}
		}
	}
	if w.JSON || w.Quiet {
		return files, nil
	}
	bytes, err := sizeOf(m.Dir)
	if err != nil {
		return files, err
	}
	_, err = fmt.Fprintf(w.Out, "%s\n  %-9s %s (%s)\n", m, "removed", text.Path(m.Dir), text.Size(bytes))
	for _, k := range known {
		fmt.Fprintf(w.Out, "  %-9s %s\n", "", k)
	}
	fmt.Fprintf(w.Out, "  %-9s the source, the remote, the config file\n", "untouched")
	fmt.Fprintf(w.Out, "  %-9s the next run of it lists the remote again and adopts what is there\n", "then")
	return files, err
}

// knowledge is what is lost with the state of a mapping.
func knowledge(w *world, m *mapping.Mapping) (files int64, known []string, err error) {
	s, err := m.Read()
	if err != nil {
		return 0, nil, err
	}
	st, err := status.In(s)
	if err = errors.Join(err, s.Close()); err != nil {
		return 0, nil, err
	}
	known = append(known, fmt.Sprintf("that the remote holds %s (%s)", text.Counted(st.Files, "file"), text.Size(st.Bytes)))
	for _, k := range []struct {
		n    int64
		text string
	}{
		{st.Retained, "that " + text.Counted(st.Retained, "file") + " deleted here " + text.Plural(st.Retained, "is", "are") + " to be kept there"},
		{st.Pending, text.Counted(st.Pending, "step") + " to be done, " + text.Count(st.Held) + " of them held"},
		{st.Failed, text.Counted(st.Failed, "failed path")},
		{int64(len(st.Uploads)), "how far unfinished uploads came"},
	} {
		if k.n > 0 {
			known = append(known, k.text)
		}
	}
	if st.Paused {
		known = append(known, "that it is paused")
	}
	return st.Files, append(known, "its history"), nil
}

// agree returns nil if a person wants it.
func (c *forgetCmd) agree(w *world) error {
	if c.Yes {
		return nil
	}
	if w.JSON || !w.Interactive() {
		return exit.Usage("add --yes", "nobody can be asked here, and nothing was removed")
	}
	yes, err := console.NewAsker(w.Ctx, w.Out).Confirm("Forget it?", "The next run of it begins as for the first time.", false)
	if err != nil {
		return err
	}
	if !yes {
		return &exit.Failure{Status: exit.StatusInterrupted, Err: errors.New("nothing was removed")}
	}
	return nil
}

// sizeOf is the size of the files in a directory.
func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
