package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// A reload reads the config file again. A file that is wrong, a log file that cannot be opened or a port that
// is taken changes nothing. Else mappings that did not change go on undisturbed, and of the process's own
// keys those take effect beneath everything that runs which can: see adjust.

// reread is what flags and variables, which win, and the config file say now.
func (d *process) reread() (*settings.Process, error) {
	next := *d.Process
	ours := slices.DeleteFunc(next.Flags(), func(f *kong.Flag) bool {
		return f.Tag.Get("config") == "-" || f.Name == "help" || d.Given[f.Name] != settings.ByNothing
	})
	for _, f := range ours {
		f.Target.SetZero()
		settings.SetDefault(f)
	}
	file, err := d.ConfigFile()
	if errors.Is(err, fs.ErrNotExist) {
		return &next, nil
	}
	if err != nil {
		return nil, err
	}
	found := settings.Apply(file, ours, file.Process)
	return &next, settings.AsUsage(append(found, next.Wrong(file)...).Err())
}

// adjust makes the process what the configuration says now, but for what needs a restart. What can be
// refused is refused before anything is changed.
func (d *process) adjust(specs []settings.Spec, out *control.Outcome) error {
	next, err := d.reread()
	if err != nil {
		return err
	}
	size, err := next.Slots(specs)
	if err != nil {
		return err
	}
	if next.Bwlimit != d.Process.Bwlimit {
		if err := d.StartRclone(); err != nil { // it logs what it limits
			return err
		}
	}
	out.Changed, out.Restart = d.Process.Changes(next)
	var file console.LogFile
	otherLog := next.LogFile != d.Process.LogFile || next.RotationFlags != d.Process.RotationFlags
	if otherLog && next.LogFile != "" {
		log, err := next.LogConfig()
		if err != nil {
			return err
		}
		if file, err = console.NewLogFile(log.File, log.Rotation); err != nil {
			return err
		}
	}
	if err := d.movePort(next.MetricsAddr); err != nil {
		if file != nil {
			file.Close()
		}
		return err
	}
	if otherLog {
		d.Log.Log(d.Ctx, console.LevelNotice, "log lines go elsewhere from now on", "log-file", next.LogFile)
		d.Lines.To(file)
		d.Own.SetLog(next.LogFile)
	}
	level, err := next.Level()
	if err == nil {
		d.Lines.Level.Set(level)
		err = rclone.SetBandwidth(next.Bwlimit)
	}
	d.slots.resize(size)
	d.Process = next
	return err // none: both were checked
}

// reload makes the mappings, and the process, what the configuration says now.
func (d *process) reload() (out control.Outcome, err error) {
	d.steer.Lock()
	defer d.steer.Unlock()
	d.manager.Reloading()
	defer d.manager.Ready()
	specs, err := d.Load()
	if err != nil {
		return out, d.fileGone(err)
	}
	made := make([]string, len(specs))
	for i := range specs {
		if _, err := d.MadeOf(&specs[i]); err != nil {
			return out, err
		}
	}
	if d.Process != nil {
		if err := d.adjust(specs, &out); err != nil {
			return out, err
		}
	}
	for i := range specs {
		made[i], _ = d.MadeOf(&specs[i]) // that went well a moment ago, and else Prepare says so
	}
	kept, gone := d.replace(specs, made, &out)
	d.tellManager()
	out.Text = fmt.Sprintf("reloaded: %s as before, %d started, %d ended", text.Counted(int64(kept), "mapping"), len(out.Mappings), gone)
	if len(out.Changed) > 0 {
		out.Text += "; taken over: " + strings.Join(out.Changed, ", ")
	}
	if len(out.Restart) > 0 {
		out.Text += "; only after a restart: " + strings.Join(out.Restart, ", ")
	}
	return out, nil
}

// fileGone says of a configuration that has nothing any more just that, where err asks for a remote.
func (d *process) fileGone(err error) error {
	if d.Process == nil {
		return err
	}
	const hint = "put it back and reload; 'snapsync stop' ends what runs"
	switch file, ferr := d.ConfigFile(); {
	case errors.Is(ferr, fs.ErrNotExist):
		return exit.Usage(hint, "%s does not exist any more", text.Path(d.ConfigPath()))
	case ferr == nil && len(file.Mappings) == 0:
		return exit.Usage(hint, "%s has no mappings any more", text.Path(file.Path))
	}
	return err
}

// replace makes the mappings those that are wanted. What did not change, and is made of the same as it was, goes on.
func (d *process) replace(specs []settings.Spec, made []string, out *control.Outcome) (kept, ended int) {
	old := d.kept.list()
	now := make([]*supervisor, len(specs))
	for i := range specs {
		j := slices.IndexFunc(old, func(u *supervisor) bool { return u != nil && u.made == made[i] && reflect.DeepEqual(u.spec, specs[i]) })
		if j >= 0 {
			now[i], old[j] = old[j], nil
			kept++
		}
	}
	gone := slices.DeleteFunc(old, func(u *supervisor) bool { return u == nil })
	for _, u := range gone {
		u.stop()
	}
	for _, u := range gone { // its state must be free before it can be taken with other flags
		<-u.done
		d.metrics.forget(u.label)
	}
	for i, u := range now {
		if u == nil {
			now[i] = d.start(d.end.work, specs[i], false)
			out.Mappings = append(out.Mappings, now[i].label)
		}
	}
	d.kept.replace(now)
	return kept, len(gone)
}
