package wizard

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
)

// wizard fills a draft by asking. What a flag said is not asked.
type wizard struct {
	*Draft
	ask   *console.Asker
	made  string // the remote that rclone has just made
	asked bool   // the remote was asked for, and can be again
}

// Ask asks for what is not given, and writes the mapping.
func (d *Draft) Ask(q *console.Asker) error { return (&wizard{Draft: d, ask: q}).run() }

func (w *wizard) run() error {
	w.print("This writes a mapping into %s:\na directory, and a remote that is kept true to it. Nothing is sent or deleted\nmeanwhile.\n", tilde(w.ConfigPath()))
	if err := w.StartRclone(); err != nil {
		return err
	}
	for _, step := range []func() error{w.askSource, w.askRemote, w.askDeletes, w.askFilters, w.askName, w.tryRemote, w.firstPlan, w.save} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *wizard) print(format string, args ...any) { fmt.Fprintf(w.Out, format+"\n", args...) }

// echo says what an answer, or a flag, comes to.
func (w *wizard) echo(what, answer string) { w.print("  %-10s %s", what, answer) }

func (w *wizard) askSource() error {
	if w.source == "" {
		answer, err := w.ask.Line("Which directory shall be mirrored?", "Everything beneath it; what to leave out comes later.", literal("."), w.setSource)
		if err != nil {
			return err
		}
		if err := w.setSource(strings.TrimSpace(answer)); err != nil {
			return err
		}
	}
	w.echo("source", text.Path(w.source))
	return nil
}

func (w *wizard) askRemote() error {
	for w.Remote == "" {
		w.asked = true
		remote, err := w.pickRemote()
		if err != nil {
			return err
		}
		w.Remote = remote
	}
	_, display, err := settings.RemoteKey(w.Remote)
	if err != nil {
		return err
	}
	w.echo("remote", display)
	return nil
}

// pickRemote offers what rclone knows, and ways to something else. "" means: ask again.
func (w *wizard) pickRemote() (string, error) {
	known := rclone.Remotes()
	var options []string
	for _, r := range known {
		options = append(options, fmt.Sprintf("%s: (%s)", r.Name, r.Type))
	}
	preset := max(0, slices.IndexFunc(known, func(r rclone.Remote) bool { return r.Name == w.made }))
	options = append(options,
		"A directory: another disk, a share that is mounted",
		"A new remote: cloud storage, a server (rclone asks for it)",
		"Something else, in rclone's syntax")
	i, err := w.ask.Choose("Where shall it go?", "Remotes are those of rclone's configuration.", options, preset)
	if err != nil {
		return "", err
	}
	switch i - len(known) {
	case 0:
		return w.askDirectory()
	case 1:
		return "", w.newRemote()
	case 2:
		return w.ask.Line("Which remote?", "For instance :sftp,host=nas,user=me:backup/work", "", w.checkRemote)
	}
	remote := known[i].Name + ":"
	answer, err := w.ask.Line("Where on "+remote+"?", "A path; on object storage the bucket comes first, as in bucket/path. It is made if it is not there. \"\" is its top.",
		mapping.Slug(filepath.Base(w.Src)), func(s string) error { return w.checkRemote(remote + s) })
	return remote + strings.TrimSpace(answer), err
}

func (w *wizard) askDirectory() (string, error) {
	answer, err := w.ask.Line("Which directory?", "It is made if it is not there; its disk must be mounted. ~/ is your home.", "", func(s string) error {
		if _, err := settings.Directory(s); err != nil || s == "" {
			if strings.TrimSpace(s) == "" {
				err = errors.Join(err, errors.New("a directory is needed"))
			}
			return err
		}
		return w.checkRemote(s)
	})
	return strings.TrimSpace(answer), err
}

// checkRemote says why a remote cannot be that of this source, beside the mappings that there are.
func (w *wizard) checkRemote(text string) error {
	remote, err := settings.RemoteOf(strings.TrimSpace(text))
	if err != nil {
		return err
	}
	if remote == "" {
		return errors.New("a remote is needed")
	}
	if _, err := w.MappingFor(w.Src, &settings.Target{Remote: remote}); err != nil {
		return err
	}
	trial := *w.Draft
	trial.Remote, trial.Name = remote, trial.freeName()
	return trial.check()
}

// newRemote lets rclone ask its own questions, and adds what it makes to its own configuration.
func (w *wizard) newRemote() error {
	w.print("\nrclone asks now. Its remote is stored in %s.", text.Path(rclone.ConfigPath()))
	name, err := rclone.NewRemote(w.Ctx)
	if err != nil {
		w.print("rclone: %v", err)
		return nil // ask again where to
	}
	w.made = name
	w.print("")
	return nil
}

func (w *wizard) askDeletes() error {
	if w.Given["complete-sync"] == settings.ByNothing {
		i, err := w.ask.Choose("What happens on the remote to what is deleted here?", "Many deletes at once always wait for your approval.", []string{
			"It stays there: the remote retains what was deleted",
			"It is deleted there as well: the remote is a true reflection",
		}, 0)
		if err != nil {
			return err
		}
		w.CompleteSync = i == 1
	}
	answer := "retained on the remote"
	if w.CompleteSync {
		answer = "mirrored (complete-sync)"
	}
	w.echo("deletes", answer)
	return nil
}

// leftOut are things that people rarely want on a remote.
var leftOut = []struct {
	what     string
	patterns []string
}{
	{"Temporary files: *.tmp *.swp *~ .DS_Store Thumbs.db", []string{"*.tmp", "*.swp", "*~", ".DS_Store", "Thumbs.db"}},
	{"Caches: .cache, __pycache__", []string{".cache/**", "__pycache__/**"}},
	{"What can be built again: node_modules, target", []string{"node_modules/**", "target/**"}},
	{"Git's own directories: .git", []string{".git/**"}},
}

func (w *wizard) askFilters() error {
	if len(w.Exclude)+len(w.Filter)+len(w.FilterFrom)+len(w.ExcludeFrom)+len(w.Include)+len(w.IncludeFrom)+len(w.FilesFrom) == 0 {
		if err := w.askExcludes(); err != nil {
			return err
		}
	}
	w.leaveOutState()
	answer := "nothing"
	if len(w.Exclude) > 0 {
		answer = strings.Join(w.Exclude, " ")
	}
	w.echo("left out", answer)
	return nil
}

func (w *wizard) askExcludes() error {
	var options []string
	for _, l := range leftOut {
		options = append(options, l.what)
	}
	picked, err := w.ask.Several("What shall be left out?", "Any of these, or none.", options)
	if err != nil {
		return err
	}
	var patterns []string
	for _, i := range picked {
		patterns = append(patterns, leftOut[i].patterns...)
	}
	more, err := w.ask.Line("Anything else?", "rclone's patterns, with spaces in between, such as *.iso /private/**; nothing is fine.", "", func(s string) error {
		_, err := (&settings.FilterFlags{Exclude: strings.Fields(s)}).Rules()
		return err
	})
	w.Exclude = append(patterns, strings.Fields(more)...)
	return err
}

func (w *wizard) askName() error {
	if w.Name == "" {
		answer, err := w.ask.Line("What shall it be called?", "The name is for -m, and for what snapsync says.", w.freeName(), func(s string) error { return w.checkName(strings.TrimSpace(s)) })
		if err != nil {
			return err
		}
		w.Name = strings.TrimSpace(answer)
	}
	w.echo("name", w.Name)
	return w.agree()
}

// agree looks at all answers together. Those about deletes and filters may make another remote necessary.
func (w *wizard) agree() error {
	for {
		err := w.check()
		if err == nil || !w.asked {
			return err
		}
		w.print("\nThat does not work: %v", err)
		w.Remote = ""
		if err := w.askRemote(); err != nil {
			return err
		}
	}
}

// tryRemote connects, and lets a person who cannot connect decide.
func (w *wizard) tryRemote() error {
	for w.Trial {
		w.print("\nTrying to reach the remote …")
		begun := time.Now()
		err := w.connect()
		if err == nil {
			w.print("It answers (%s).", time.Since(begun).Round(time.Millisecond))
			return nil
		}
		if w.Ctx.Err() != nil {
			return err
		}
		w.print("It does not: %v", err)
		if hint := exit.Of(err).Hint; hint != "" && !errors.Is(err, remote.ErrOffline) {
			w.print("hint: %s", hint)
		}
		i, err := w.ask.Choose("What now?", "", []string{"Try again", "Choose another remote", "Write it down all the same", "Give up"}, 0)
		if err != nil {
			return err
		}
		switch i {
		case 1:
			w.Remote = ""
			if err := errors.Join(w.askRemote(), w.agree()); err != nil {
				return err
			}
		case 2:
			w.Trial = false
		case 3:
			return errNothingWritten
		}
	}
	return nil
}

var errNothingWritten = &exit.Failure{Status: exit.StatusError, Err: errors.New("nothing was written")}

// firstPlan shows what a run would do, which lists the remote once.
func (w *wizard) firstPlan() error {
	if !w.Trial {
		return nil
	}
	yes, err := w.ask.Confirm("See what a first run would do?", "The directory is read and the remote is listed; nothing is changed.", true)
	if err != nil || !yes {
		return err
	}
	w.print("Looking …")
	text, err := w.preview()
	if err != nil {
		if w.Ctx.Err() != nil {
			return err
		}
		w.print("There is no plan: %v", err)
		return nil
	}
	w.print("A first run would: %s", text)
	return nil
}

// preview is the last line of `plan`.
func (w *wizard) preview() (string, error) {
	m, c, err := w.Prepare(w.resolved())
	if err != nil {
		return "", err
	}
	s, err := m.Read()
	if err != nil {
		return "", err
	}
	defer s.Close()
	c.Journal = s.Journal
	e, err := engine.New(c)
	if err != nil {
		return "", err
	}
	p, err := e.Plan(w.Ctx)
	if err = errors.Join(err, e.Close()); err != nil {
		return "", err
	}
	view := text.NewPlan(p, w.CreateEmptySrcDirs)
	return view.Total(), nil
}

func (w *wizard) save() error {
	shown := *w.Draft
	if _, display, err := settings.RemoteKey(w.Remote); err == nil && settings.HasSecret(w.Remote) {
		shown.Remote = display
	}
	w.print("\n%s", strings.TrimRight(shown.text(), "\n"))
	yes, err := w.ask.Confirm("Write this?", "You can edit it later: 'snapsync config edit'.", true)
	if err != nil {
		return err
	}
	if !yes {
		return errNothingWritten
	}
	w.print("")
	return w.write()
}
