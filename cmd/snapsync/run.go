package main

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
)

type runCmd struct {
	Src      string `arg:"" optional:"" help:"The directory to mirror. Default: the working directory."`
	Once     bool   `group:"which" help:"Catch up and exit: for cron and scripts."`
	DryRun   bool   `group:"safety" short:"n" help:"Only show what would be done, like plan."`
	Progress bool   `group:"output" short:"P" help:"Show progress. On when stdout is a terminal."`
	target
	syncFlags
	guardFlags
	transferFlags
	watchFlags
}

// Help is the long text of `run --help`.
func (*runCmd) Help() string {
	return `The source is scanned and compared with what the remote has acknowledged; the remote itself is not
listed, except once, at the first run, to recognise what is there already. What was renamed is moved on the
remote, whole directories at once where it can. What is already there is copied on the remote. The rest is sent.

Deleted files are retained on the remote unless --complete-sync is given. Deletes need proof: nothing is
deleted beneath a directory that could not be read, or when the source is not the one it was. A plan with
too many deletes (--max-delete) has all its deletes held, while everything else goes on; look at it with
'snapsync plan', let it through with 'snapsync approve'.

Examples:

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
25 finished, but some paths failed; 130 interrupted; 1 anything else.

Each flag can be set by a variable: SNAPSYNC_ and the flag in capitals, as SNAPSYNC_COMPLETE_SYNC=true.
rclone's own variables work as well.`
}

// Run implements the command.
func (c *runCmd) Run(a *app) error {
	if c.DryRun {
		p := planCmd{Src: c.Src, target: c.target, syncFlags: c.syncFlags, guardFlags: c.guardFlags, transferFlags: c.transferFlags}
		return p.Run(a)
	}
	if !c.Once {
		return usage("use 'snapsync run --once', for instance from cron", "watching is not there yet")
	}
	m, config, err := a.prepare(c.Src, &c.target, &c.syncFlags, &c.guardFlags, &c.transferFlags)
	if err != nil {
		return err
	}
	s, err := a.open(m)
	if err != nil {
		return err
	}
	return errors.Join(c.catchUp(a, s, config), s.close())
}

func (c *runCmd) catchUp(a *app, s *session, config engine.Config) error {
	state, err := s.journal.State()
	if err != nil {
		return err
	}
	if state.Paused {
		return a.say("paused: nothing was done ('snapsync resume' undoes it)", runSummary{Paused: true})
	}
	if err := s.remember(&c.syncFlags); err != nil {
		return err
	}
	config.Journal = s.journal
	view := a.startProgress(c.Progress)
	config.Observe = (&observer{app: a, progress: view, emptyDirs: c.CreateEmptySrcDirs}).observe
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	sum, err := e.Run(a.ctx)
	err = errors.Join(err, e.Close())
	view.stop()
	return a.finish(s, &sum, s.advise(err))
}

// runSummary is the last line of `run --once --json`.
type runSummary struct {
	Type string `json:"type"`
	engine.Summary
	Files  int64  `json:"files"` // of the source that belong to the mapping
	Paused bool   `json:"paused,omitempty"`
	Error  string `json:"error,omitempty"`
}

// finish prints what a run did and turns the rest into an exit status.
func (a *app) finish(s *session, sum *engine.Summary, err error) error {
	out := runSummary{Summary: *sum, Files: sum.Scan.Files}
	if err != nil {
		out.Error = err.Error()
	}
	text := ""
	if err == nil || sum.Sent+sum.Copied+sum.Touched+sum.Moved+sum.Deleted > 0 {
		text = summaryLine(sum)
	}
	if say := a.say(text, out); say != nil || err != nil {
		return errors.Join(err, say)
	}
	a.notes(sum)
	if sum.Failed > 0 {
		return &failure{statusPartial, failedError(sum), "they are tried again at the next run; 'snapsync status' lists them"}
	}
	if sum.Held > 0 {
		return heldFailure(s, sum)
	}
	return nil
}

// say prints one line about a run: text for people, out for programs.
func (a *app) say(text string, out runSummary) error {
	out.Type = "summary"
	if a.JSON {
		return writeJSON(a.stdout, out)
	}
	if a.Quiet || text == "" {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "snapsync: %s\n", text)
	return err
}

// summaryLine is what a run did, in a line.
func summaryLine(sum *engine.Summary) string {
	if sum.Sent+sum.Copied+sum.Touched+sum.Moved+sum.Deleted+sum.Failed+sum.Held == 0 {
		return fmt.Sprintf("nothing changed (%s checked in %s)", counted(sum.Scan.Files, "file"), seconds(sum.Seconds))
	}
	line := fmt.Sprintf("sent %s (%s)", count(sum.Sent), size(sum.UploadBytes))
	for _, part := range []struct {
		what string
		n    int64
	}{{"copied", sum.Copied}, {"touched", sum.Touched}, {"moved", sum.Moved}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %s %s", part.what, count(part.n))
		}
	}
	line += fmt.Sprintf(", deleted %s", count(sum.Deleted))
	if sum.SavedBytes > 0 {
		line += fmt.Sprintf(", %s not sent", size(sum.SavedBytes))
	}
	return line + " in " + seconds(sum.Seconds)
}

// notes tell what the scan left out, so that nobody has to find out later.
func (a *app) notes(sum *engine.Summary) {
	if n := sum.Scan.Symlinks; n > 0 {
		a.log.Info(counted(n, "symlink") + " skipped; --links keeps them")
	}
	if n := sum.Scan.Special; n > 0 {
		a.log.Info(counted(n, "socket, fifo or device") + " skipped")
	}
	for _, u := range sum.Unproven {
		a.log.Warn("nothing is deleted beneath: "+u.Reason, "path", show(u.Path), "kept", u.Kept)
	}
}

// maxShown bounds how many paths a message lists.
const maxShown = 10

func failedError(sum *engine.Summary) error {
	text := counted(sum.Failed, "path") + " failed"
	for i, f := range sum.Failures {
		if i == maxShown {
			text += fmt.Sprintf("\n  … and %s more", count(sum.Failed-maxShown))
			break
		}
		text += fmt.Sprintf("\n  %s: %v", show(f.Path), f.Err)
	}
	return errors.New(text)
}

func heldFailure(s *session, sum *engine.Summary) error {
	why := "a file system inside the source is not the one that was snapshotted"
	way := "mount it again, or accept what is there now with: " + s.approval("--new-source")
	if sum.Hold != nil {
		why = sum.Hold.Why
		way = "'snapsync plan' shows them; this lets exactly these through at the next run: " + s.approval("")
	}
	return &failure{
		status: statusHeld,
		err:    fmt.Errorf("%s held: %s", counted(sum.Held, "delete"), why),
		hint:   "everything else was done; " + way,
	}
}

// observer turns the engine's events into log lines, JSON lines and progress. Events come from
// several goroutines.
type observer struct {
	app       *app
	progress  *progress
	emptyDirs bool       // directories are mirrored for their own sake
	mu        sync.Mutex // guards stdout
}

func (o *observer) observe(ev engine.Event) {
	o.progress.observe(ev)
	switch ev.Type {
	case engine.StepDone:
		o.done(ev.Step, ev.Err)
	case engine.StepRetry:
		o.app.log.Info("trying again", "path", show(ev.Step.Path), "in", ev.Wait, "err", ev.Err)
	case engine.Phase:
		o.app.log.Debug(ev.Text)
	}
}

func (o *observer) done(step *journal.Step, err error) {
	if o.app.JSON && (o.emptyDirs || !emptied(step) || err != nil) {
		o.mu.Lock()
		defer o.mu.Unlock()
		writeJSON(o.app.stdout, doneJSON{stepJSON: stepOf(step), Error: errorText(err)})
	}
	switch {
	case !o.app.log.Enabled(o.app.ctx, slog.LevelInfo):
	case err != nil:
		o.app.log.Info("failed", "path", show(step.Path), "err", err)
	default:
		o.app.log.Info(past(step), "path", show(step.Path))
	}
}

// doneJSON is a step that was executed.
type doneJSON struct {
	stepJSON
	Error string `json:"error,omitempty"`
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
