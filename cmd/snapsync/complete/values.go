package complete

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

// value proposes values of a flag or an argument. prefix is what stands before them in the same word: "", "-m",
// "--mapping=".
func (l *line) value(ctx context.Context, v *kong.Value, prefix string) Proposal {
	p := l.kinds(ctx, v, strings.TrimPrefix(l.current, prefix))
	for i := range p.candidates {
		p.candidates[i].value = prefix + p.candidates[i].value
	}
	return p
}

// kinds goes by what the help calls a value, as expanded does: kong has no other word for it.
func (l *line) kinds(ctx context.Context, v *kong.Value, typed string) Proposal {
	what := v.Name
	if v.Flag != nil && v.Name != "mapping" && v.Name != "backup-dir" {
		what = v.Flag.PlaceHolder
	}
	switch {
	case v.Enum != "":
		return Proposal{candidates: named(v.EnumSlice()...)}
	case v.IsBool():
		return Proposal{candidates: named("true", "false")}
	}
	switch what {
	case "FILE", "path":
		return Proposal{files: true}
	case "DIR", "src", "dir":
		return Proposal{dirs: true}
	case "REMOTE", "backup-dir":
		return l.remotes(ctx, typed)
	case "LEVEL":
		return Proposal{candidates: named("DEBUG", "INFO", "NOTICE", "ERROR")}
	case "mapping":
		return Proposal{candidates: l.mappings(ctx)}
	case "a":
		return Proposal{candidates: l.snapshots(ctx, false)}
	case "b":
		return Proposal{candidates: l.snapshots(ctx, true)}
	}
	return Proposal{}
}

func named(values ...string) (all []candidate) {
	for _, v := range values {
		all = append(all, candidate{value: v})
	}
	return all
}

// apply gives the flags their values and returns a resolver that says nothing. Only what reads a file needs it.
func (l *line) apply(ctx context.Context) (*settings.Resolver, error) {
	if err := l.parsed.Reset(); err != nil {
		return nil, err
	}
	if _, err := l.parsed.Apply(); err != nil {
		return nil, err
	}
	return &settings.Resolver{
		Globals: l.globals, Ctx: ctx, Model: l.model, Given: settings.GivenFlags(l.parsed),
		Printer: &console.Printer{Out: io.Discard, Err: io.Discard}, Log: slog.New(slog.DiscardHandler),
	}, nil
}

// mappings are those of the config file.
func (l *line) mappings(ctx context.Context) (all []candidate) {
	a, err := l.apply(ctx)
	if err != nil {
		return nil
	}
	file, err := a.ConfigFile()
	if err != nil {
		return nil
	}
	for _, m := range file.Mappings {
		help := m.Source
		if _, display, err := rclone.Canonical(m.Remote); err == nil {
			help += " → " + display
		}
		all = append(all, candidate{m.Name, help})
	}
	return all
}

// remotes are those of rclone's configuration, and directories. What follows the colon is not listed: that
// would take a connection. Nor is a password asked for, or a command run that may ask for one.
func (l *line) remotes(ctx context.Context, typed string) Proposal {
	if strings.Contains(typed[len(filepath.VolumeName(typed)):], ":") {
		return Proposal{}
	}
	p := Proposal{dirs: true, open: true}
	a, err := l.apply(ctx)
	if err != nil || a.Configure(l.parsed) != nil {
		return p
	}
	if _, err := os.Stat(a.Config); a.Config != "" && err != nil {
		return p
	}
	if rclone.Init(ctx, rclone.Settings{ConfigFile: a.Config, NoPasswordCommand: true, Log: a.Log}) != nil {
		return p
	}
	for _, r := range rclone.Remotes() {
		p.candidates = append(p.candidates, candidate{r.Name + ":", strings.TrimSpace(r.Type + " " + r.Description)})
	}
	return p
}

// maxSnapshots keeps the list such that a person can look through it.
const maxSnapshots = 100

// snapshots are the latest ones of the mapping that the line means; those after A if it is about B.
func (l *line) snapshots(ctx context.Context, isB bool) (all []candidate) {
	a, err := l.apply(ctx)
	if err != nil || a.Configure(l.parsed) != nil {
		return nil
	}
	selected := &settings.Selection{Target: settings.Target{Remote: l.valueOf("remote"), Mapping: l.valueOf("mapping")}, Source: l.valueOf("source")}
	m, err := a.Choose(selected, "", "")
	if err != nil {
		return nil
	}
	j, err := journal.OpenReadOnly(m.JournalPath())
	if err != nil {
		return nil
	}
	defer j.Close()
	cycles, err := j.Cycles(maxSnapshots)
	if err != nil {
		return nil
	}
	first, _ := strconv.ParseInt(l.valueOf("a"), 10, 64)
	for i := range cycles {
		if c := &cycles[i]; !isB || c.ID > first {
			number := fmt.Sprint(c.ID)
			all = append(all, candidate{number, strings.TrimPrefix(text.SnapshotLine(c), "#"+number)})
		}
	}
	return all
}

// valueOf is that of a flag or an argument of the command on the line, as text.
func (l *line) valueOf(name string) string {
	for _, f := range l.parsed.Selected().Flags {
		if f.Name == name {
			return fmt.Sprint(f.Target.Interface())
		}
	}
	for _, p := range l.parsed.Selected().Positional {
		if p.Name == name {
			return fmt.Sprint(p.Target.Interface())
		}
	}
	return ""
}
