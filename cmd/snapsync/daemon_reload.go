package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// A reload reads the config file again. A file that is wrong, a log file that cannot be opened or a port that
// is taken changes nothing. Else mappings that did not change go on undisturbed, and of the process's own
// keys those take effect beneath everything that runs which can: see adjust.

// settings are the keys of the process, with what is in force or would be.
type settings struct {
	globals
	processFlags
	Bwlimit string
}

// restartKeys are what everything was built on when the process began.
var restartKeys = []string{"state-dir", "config", "password-command", "rclone", "use-json-log"}

func (s *settings) flags() []*kong.Flag { return flagsOf(s) }

// settingChecks refuse what a key of the process cannot mean.
var settingChecks = []struct {
	key   string
	check func(*settings) error
}{
	{"log-level", func(s *settings) error { _, err := s.logLevel(); return err }},
	{"log-file-max-size", func(s *settings) error { return (&rotationFlags{LogFileMaxSize: s.LogFileMaxSize}).check() }},
	{"log-file-max-age", func(s *settings) error { return (&rotationFlags{LogFileMaxAge: s.LogFileMaxAge}).check() }},
	{"log-file-max-backups", func(s *settings) error { return (&rotationFlags{LogFileMaxBackups: s.LogFileMaxBackups}).check() }},
	{"rclone", func(s *settings) error { _, err := s.rcloneOptions(); return err }},
	{"bwlimit", func(s *settings) error { return rclone.CheckBandwidth(s.Bwlimit) }},
	{"max-transfers", func(s *settings) error { _, err := s.poolSize(nil); return err }},
	{"metrics-addr", func(s *settings) error { return checkAddress(s.MetricsAddr) }},
}

// wrong returns what is wrong with the keys of the process that the file sets.
func (s *settings) wrong(file *config.File) (found config.Problems) {
	for _, c := range settingChecks {
		v, set := file.Process[c.key]
		if !set {
			continue
		}
		if err := c.check(s); err != nil {
			found = append(found, file.Problem(v.At, "%s: %w", c.key, withHint(err)))
		}
	}
	return found
}

// withHint has the error say its remedy itself.
func withHint(err error) error {
	if hint := exit.Of(err).Hint; hint != "" {
		return fmt.Errorf("%w (%s)", err, hint)
	}
	return err
}

// checkAddress refuses what is no address to listen at.
func checkAddress(addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return exit.Usage("for instance localhost:9465", "%w", err)
	}
	return nil
}

// reread is what flags and variables, which win, and the config file say now.
func (d *daemonProcess) reread() (*settings, error) {
	next := *d.now
	ours := slices.DeleteFunc(next.flags(), func(f *kong.Flag) bool {
		return f.Tag.Get("config") == "-" || f.Name == "help" || d.given[f.Name] != byNothing
	})
	for _, f := range ours {
		f.Target.SetZero()
		setDefault(f)
	}
	file, err := d.configFile()
	if errors.Is(err, fs.ErrNotExist) {
		return &next, nil
	}
	if err != nil {
		return nil, err
	}
	found := d.apply(file, ours, file.Process)
	return &next, asUsage(append(found, next.wrong(file)...).Err())
}

// adjust makes the process what the configuration says now, but for what needs a restart. What can be
// refused is refused before anything is changed.
func (d *daemonProcess) adjust(specs []spec, out *control.Outcome) error {
	next, err := d.reread()
	if err != nil {
		return err
	}
	size, err := next.poolSize(specs)
	if err != nil {
		return err
	}
	if next.Bwlimit != d.now.Bwlimit {
		if err := d.startRclone(); err != nil { // it logs what it limits
			return err
		}
	}
	out.Changed, out.Restart = d.now.changes(next)
	var file logFile
	otherLog := next.LogFile != d.now.LogFile || next.rotationFlags != d.now.rotationFlags
	if otherLog && next.LogFile != "" {
		if file, err = newLogFile(next.LogFile, &next.rotationFlags); err != nil {
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
		d.log.Log(d.ctx, levelNotice, "log lines go elsewhere from now on", "log-file", next.LogFile)
		d.lines.to(file)
	}
	level, err := next.logLevel()
	if err == nil {
		d.lines.level.Set(level)
		err = rclone.SetBandwidth(next.Bwlimit)
	}
	d.pool.resize(size)
	d.now = next
	return err // none: both were checked
}

// changes names the keys whose values differ: those that can be changed, and those, which next gets from s,
// that cannot.
func (s *settings) changes(next *settings) (changed, restart []string) {
	was, is := s.flags(), next.flags()
	for i, f := range is {
		if reflect.DeepEqual(f.Target.Interface(), was[i].Target.Interface()) {
			continue
		}
		if !slices.Contains(restartKeys, f.Name) {
			changed = append(changed, f.Name)
			continue
		}
		restart = append(restart, f.Name)
		f.Target.Set(was[i].Target)
	}
	return changed, restart
}

// reload makes the mappings, and the process, what the configuration says now.
func (d *daemonProcess) reload() (out control.Outcome, err error) {
	d.steer.Lock()
	defer d.steer.Unlock()
	d.notify.Reloading()
	defer d.notify.Ready()
	specs, err := d.load()
	if err != nil {
		return out, d.fileGone(err)
	}
	if d.now != nil {
		if err := d.adjust(specs, &out); err != nil {
			return out, err
		}
	}
	kept, gone := d.replace(specs, &out)
	d.said(nil)
	out.Text = fmt.Sprintf("reloaded: %s as before, %d started, %d ended", counted(int64(kept), "mapping"), len(out.Mappings), gone)
	if len(out.Changed) > 0 {
		out.Text += "; taken over: " + strings.Join(out.Changed, ", ")
	}
	if len(out.Restart) > 0 {
		out.Text += "; only after a restart: " + strings.Join(out.Restart, ", ")
	}
	return out, nil
}

// fileGone says of a configuration that has nothing any more just that, where err asks for a remote.
func (d *daemonProcess) fileGone(err error) error {
	if d.now == nil {
		return err
	}
	const hint = "put it back and reload; 'snapsync stop' ends what runs"
	switch file, ferr := d.configFile(); {
	case errors.Is(ferr, fs.ErrNotExist):
		return exit.Usage(hint, "%s does not exist any more", show(d.configPath()))
	case ferr == nil && len(file.Mappings) == 0:
		return exit.Usage(hint, "%s has no mappings any more", show(file.Path))
	}
	return err
}

// replace makes the mappings those that are wanted. What did not change goes on.
func (d *daemonProcess) replace(specs []spec, out *control.Outcome) (kept, ended int) {
	old := d.all()
	now := make([]*upkeep, len(specs))
	for i := range specs {
		j := slices.IndexFunc(old, func(u *upkeep) bool { return u != nil && reflect.DeepEqual(u.spec, specs[i]) })
		if j >= 0 {
			now[i], old[j] = old[j], nil
			kept++
		}
	}
	gone := slices.DeleteFunc(old, func(u *upkeep) bool { return u == nil })
	for _, u := range gone {
		u.stop()
	}
	for _, u := range gone { // its state must be free before it can be taken with other flags
		<-u.done
		d.meters.forget(u.label)
	}
	for i, u := range now {
		if u == nil {
			now[i] = d.start(d.work, specs[i], false)
			out.Mappings = append(out.Mappings, now[i].label)
		}
	}
	d.mu.Lock()
	d.kept = now
	d.mu.Unlock()
	return kept, len(gone)
}
