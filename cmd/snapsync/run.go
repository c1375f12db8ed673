package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/daemon"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
)

type runCmd struct {
	Src      string `arg:"" optional:"" help:"The directory to mirror. Default: the working directory."`
	Once     bool   `group:"which" config:"-" help:"Catch up and exit: for cron and scripts."`
	DryRun   bool   `group:"safety" short:"n" config:"-" help:"Only show what would be done, like plan."`
	Progress bool   `group:"output" short:"P" config:"-" help:"Show progress. On when stdout is a terminal."`
	settings.Target
	settings.SyncFlags
	settings.GuardFlags
	settings.TransferFlags
	settings.WatchFlags
	settings.ProcessFlags
}

// Help is the long text of `run --help`.
func (*runCmd) Help() string {
	return `The source is scanned and compared with what the remote has acknowledged; the remote itself is not
listed, except once, at the first run, to recognise what is there already. What was renamed is moved on the
remote, whole directories at once where it can. What is already there is copied on the remote. The rest is sent.

Deleted files are retained on the remote unless --complete-sync is given. Deletes need proof: nothing is
deleted beneath a directory that could not be read, or when the source is not the one it was. A plan with
too many deletes (--max-delete) has all its deletes held, while everything else goes on; look at it with
'snapsync plan', let it through with 'snapsync approve', or with --approve in one run, but never in cron.

Without --remote the mappings of the config file are meant, or the one that -m names; a flag that is given wins over
the file. What goes wrong with one does not stop the others.

Without --once it stays: it watches the directories and brings over what changes, waits for a remote or a source that
is away, and can be asked and steered by the other commands (status, pause, resume, approve, retry, sync, stop, log -f)
and over a socket. On a terminal it shows how things stand. SIGTERM and Ctrl-C end it within ten seconds, with uploads
that are nearly done; SIGHUP reads the config file again and opens the log file anew; SIGUSR1 looks at everything now.

Examples:

    # stay, for all mappings of the config file, or for one directory
    snapsync run
    snapsync run ~/work --remote mys3:bucket/work --complete-sync

    # the mappings that 'snapsync config init' wrote down, or one of them
    snapsync run --once
    snapsync run --once -m work

    # mirror a directory to another disk; nothing needs to be configured
    snapsync run --once ~/work --remote /mnt/backup/work

    # to a remote of rclone's configuration, deletes included
    snapsync run --once ~/work --remote mys3:bucket/work --complete-sync

    # a remote without any configuration
    snapsync run --once ~/work --remote :sftp,host=nas,user=me:backup/work

    # leave things out; keep replaced and deleted files for a while
    snapsync run --once ~/work --remote nas:work --exclude '*.tmp' --exclude '/cache/**' \
        --complete-sync --backup-dir nas:work-old

    # cron, every ten minutes; speaks only when something is wrong
    */10 * * * *  snapsync run --once -q ~/work --remote mys3:bucket/work --complete-sync

Exit status: 0 done; 2 usage; 3 source not found; 5 temporary error; 7 fatal; 21 deletes are held; 22 the
source is not the one that was snapshotted; 23 remote unreachable; 24 another process has this mapping;
25 finished, but some paths failed; 130 interrupted; 1 anything else. Of several mappings the most severe one
counts: 130, 7, 1, 2, 3, 22, 21, 23, 5, 25, 24, in this order. Without --once: 0 when it was told to end, 130 if it had to
give up in the middle, and what keeps its only mapping from starting.

Each flag can be set by a variable: SNAPSYNC_ and the flag in capitals, as SNAPSYNC_COMPLETE_SYNC=true.
rclone's own variables work as well, or are refused: docs/from-rclone.md says which.`
}

// Run implements the command.
func (c *runCmd) Run(w *world) error {
	if c.DryRun {
		return showPlans(w, planWish{}, c.spec())
	}
	if !c.Once {
		console.Detach(w.Log, w.Out, w.Err)
		return c.stay(w)
	}
	console.KeepGoing(w.Out, w.Err)
	specs, err := w.Specs(c.spec())
	if err != nil {
		return err
	}
	return eachSpec(w, specs, func(s *settings.Spec) error { return c.once(w, s) })
}

// stay is `run` without --once.
func (c *runCmd) stay(w *world) error {
	load := func() ([]settings.Spec, error) {
		specs, err := w.Specs(c.spec())
		for i := range specs {
			specs[i].Bwlimit = "" // it is the process's, which may change it while they go on
		}
		return specs, err
	}
	if err := w.LimitBandwidth(c.Bwlimit); err != nil {
		return err
	}
	return daemon.Run(daemon.Config{
		Resolver: w.Resolver, Printer: w.Printer, Load: load, Flags: &c.ProcessFlags,
		Process: &settings.Process{Globals: *w.Globals, ProcessFlags: c.ProcessFlags, Bwlimit: c.Bwlimit},
		Screen:  w.screen, Lines: w.lines, Program: ourVersion(),
	})
}

// spec is the mapping as far as the command line describes it.
func (c *runCmd) spec() *settings.Spec {
	return &settings.Spec{Src: c.Src, Target: c.Target, SyncFlags: c.SyncFlags, GuardFlags: c.GuardFlags, TransferFlags: c.TransferFlags, WatchFlags: c.WatchFlags}
}

// once brings one mapping up to date.
func (c *runCmd) once(w *world, sp *settings.Spec) error {
	m, config, err := w.Prepare(sp)
	if err != nil {
		return notRun(w, sp, err)
	}
	first := !m.HasState()
	s, err := m.Open(w.Ctx, mapping.Holder{})
	if err != nil {
		return notRun(w, sp, err)
	}
	if w.JSON {
		settings.Heading(w.Printer, m)
	}
	err = c.catchUp(w, s, config, &sp.SyncFlags)
	leaveNothing := first && m.Name == "" && exit.Of(err).Status == exit.StatusFatal && !wasReached(s)
	if err = errors.Join(err, s.Close()); leaveNothing {
		err = errors.Join(err, m.Forget())
	}
	return err
}

// wasReached reports whether a mapping's remote was ever listed. Before that a mapping that cannot work, of a mistyped remote
// say, is nothing that anybody would want to see, or to forget, later.
func wasReached(s *mapping.Session) bool {
	state, err := s.Journal.State()
	return err != nil || state.Adopted
}

// notRun gives a mapping of the config file that could not even start its summary, for programs.
func notRun(w *world, s *settings.Spec, err error) error {
	if s.Name == "" || !w.JSON {
		return err
	}
	return errors.Join(err, say(w, "", text.Summary{Mapping: s.Name, Error: err.Error()}))
}

func (c *runCmd) catchUp(w *world, s *mapping.Session, config engine.Config, flags *settings.SyncFlags) error {
	state, err := s.Journal.State()
	if err != nil {
		return err
	}
	if state.Paused {
		return say(w, "paused: nothing was done ('snapsync resume' undoes it)", text.Summary{Paused: true, Mapping: s.Name})
	}
	if err := settings.Remember(s, flags); err != nil {
		return err
	}
	config.Journal = s.Journal
	under := status.NewActivity()
	log := &console.Observer{Log: w.Log, EmptyDirs: flags.CreateEmptySrcDirs}
	if w.JSON {
		log.JSON = w.Out
	}
	config.Observe = func(ev event.Event) { under.Observe(ev); log.Observe(ev) }
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	endProgress := showProgress(w, c.Progress, under)
	sum, err := e.Run(w.Ctx)
	err = errors.Join(err, e.Close())
	endProgress()
	return finish(w, s, &sum, s.Advise(err))
}

// finish prints what a run did and turns the rest into an exit status.
func finish(w *world, s *mapping.Session, sum *engine.Summary, err error) error {
	out := text.Summary{Mapping: s.Name, Summary: *sum, Files: sum.Scan.Files, Symlinks: sum.Scan.Symlinks, Special: sum.Scan.Special}
	if err != nil {
		out.Error = err.Error()
	}
	msg := ""
	if err == nil || sum.Sent+sum.Copied+sum.Touched+sum.Moved+sum.Deleted > 0 {
		msg = text.SummaryLine(sum) + text.Skipped(&sum.Scan)
	}
	if say := say(w, msg, out); say != nil || err != nil {
		return errors.Join(err, say)
	}
	for _, u := range sum.Unproven {
		w.Log.Warn("nothing is deleted beneath: "+u.Reason, "path", text.Path(u.Path), "kept", u.Kept)
	}
	if sum.Failed > 0 {
		return &exit.Failure{Status: exit.StatusPartial, Err: text.Failed(sum), Hint: "they are tried again at the next run; 'snapsync status' lists them"}
	}
	if sum.Held > 0 {
		return heldFailure(s, sum)
	}
	return nil
}

// say prints one line about a run: text for people, out for programs.
func say(w *world, msg string, out text.Summary) error {
	out.Type = "summary"
	if msg == "" && !w.JSON {
		return nil
	}
	if out.Mapping != "" {
		msg = out.Mapping + ": " + msg
	}
	return w.Say(out, "snapsync: %s", msg)
}

func heldFailure(s *mapping.Session, sum *engine.Summary) error {
	var whys, ways []string
	guarded := int64(0)
	if h := sum.Hold; h != nil {
		guarded = h.Deletes
		whys = append(whys, h.Why)
		ways = append(ways, "'snapsync plan' shows them; this lets exactly these through at the next run: "+s.Approval(""))
	}
	if m := sum.HeldByMounts(); m != nil && sum.Held > guarded {
		whys = append(whys, m.Why)
		ways = append(ways, "mount it again, or accept what is there now with: "+s.Approval("--new-source"))
	}
	return &exit.Failure{
		Status: exit.StatusHeld,
		Err:    fmt.Errorf("%s held: %s", text.Counted(sum.Held, "delete"), strings.Join(whys, "; ")),
		Hint:   "everything else was done; " + strings.Join(ways, "; "),
	}
}
