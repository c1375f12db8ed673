package daemon

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// How often a loop is looked at that does not say anything by itself. It does say when its state changes,
// so a resting one is hardly ever looked at.
const (
	reportBusy = time.Second
	reportRest = 15 * time.Second
)

// longWork is how long a scan or a transfer must last to be worth a line in the journal: another
// process that cannot ask this one reads it there.
const longWork = 3 * time.Second

// report tells the events, the log, a terminal and the journal what changes in a loop, until done.
func (u *supervisor) report(done <-chan struct{}, nudge <-chan struct{}, l mappingLoop, f *status.Activity) {
	r := reporter{supervisor: u, activity: f}
	next := time.NewTimer(reportBusy)
	defer next.Stop()
	for {
		select {
		case <-nudge:
			r.look(l.Status())
		case <-next.C:
			r.look(l.Status())
			r.progress()
		case <-done:
			r.look(l.Status())
			if rest := f.Take(); didSomething(&rest) { // of a cycle that was given up
				r.d.line(u, text.SummaryLine(&rest))
			}
			return
		}
		u.mu.Lock()
		u.reported = time.Now()
		u.mu.Unlock()
		if r.moved || working(r.seen.State) {
			next.Reset(reportBusy)
		} else {
			next.Reset(reportRest)
		}
	}
}

// reporter knows what was told last.
type reporter struct {
	*supervisor
	activity *status.Activity
	seen     loop.Status
	ailing   bool   // the last word was that something is wrong
	told     string // the last notice about that; "": all was in order since
	toldAt   time.Time
	written  bool // the journal knows of the work under way
	moved    bool // transfers were in activity
}

// working reports whether a loop in this state changes something without saying so.
func working(s loop.State) bool { return s == loop.Scanning || s == loop.Syncing }

func (r *reporter) look(now loop.Status) {
	if now.Cycles != r.seen.Cycles {
		r.cycle(&now)
	}
	if now.State != r.seen.State || now.Why != r.seen.Why {
		r.state(&now)
	}
	r.record(&now)
	r.seen = now
}

// cycle tells what was done since the last one. Only what did something is worth a line.
func (r *reporter) cycle(now *loop.Status) {
	sum := r.activity.Take()
	r.failed(&sum)
	sum.Failures = nil // the events of their steps have them
	sum.Seconds, sum.Held, sum.Scan = now.Last.Seconds, now.Last.Held, now.Last.Scan
	sum.SavedBytes, sum.Failed = now.Last.SavedBytes, now.Last.Failed
	id := r.id()
	r.d.publish("cycle", id, cycleEvent{eventHead: head("cycle", id), Cycles: now.Cycles, Summary: sum})
	r.d.metrics.cycle(r.label, now.Cycles-r.seen.Cycles, now)
	if now.Err != "" && now.Err != r.seen.Err {
		r.d.publish("error", id, errorEvent{
			eventHead: head("error", id), Error: now.Err, Class: now.ErrKind, Next: text.JSONTime(now.Next),
		})
	}
	if didSomething(&sum) {
		r.d.line(r.supervisor, text.SummaryLine(&sum))
	}
}

// failed logs the paths that failed just now: status lists them only for as long as they fail. That one
// changed or vanished while it was to be sent is nothing to tell a person: the next look settles that.
func (r *reporter) failed(sum *engine.Summary) {
	worst := slog.LevelInfo
	for _, f := range sum.Failures {
		level := slog.LevelError
		if remote.Class(f.Err) == "changing" {
			level = slog.LevelInfo
		}
		worst = max(worst, level)
		r.log().Log(r.d.Ctx, level, "not synced", "path", f.Path, "err", text.WithoutPath(f.Err.Error(), f.Path))
	}
	if more := sum.Failed - text.MaxShown; len(sum.Failures) == text.MaxShown && more > 0 {
		r.log().Log(r.d.Ctx, worst, "not synced: "+text.Counted(more, "more path")+"; 'snapsync status' lists them")
	}
}

func didSomething(s *engine.Summary) bool { return s.Sent+s.Copied+s.Touched+s.Moved+s.Deleted > 0 }

// state tells that the mapping is in another state. What passes by itself within moments is for the
// events only.
func (r *reporter) state(now *loop.Status) {
	id := r.id()
	r.d.publish("state", id, stateEvent{
		eventHead: head("state", id), State: string(now.State), Since: text.JSONTime(now.Since), Why: now.Why, Next: text.JSONTime(now.Next),
	})
	r.d.tellManager()
	switch now.State {
	case loop.Offline, loop.Held, loop.Paused:
		r.notice(fmt.Sprintf("%s: %s", now.State, now.Why), time.Now())
		r.ailing = true
	case loop.Idle:
		r.told = ""
		if r.ailing {
			r.log().Log(r.d.Ctx, console.LevelNotice, "idle again: "+now.Why)
		}
		r.ailing = false
	}
}

// tellAgain is how long the same notice is not repeated: while deletes are held each change of the source ends in that state again.
const tellAgain = 10 * time.Minute

// notice logs what a person should know, unless it was said a moment ago and nothing was in order since.
func (r *reporter) notice(line string, now time.Time) {
	if line == r.told && now.Sub(r.toldAt) < tellAgain {
		return
	}
	r.told, r.toldAt = line, now
	r.log().Log(r.d.Ctx, console.LevelNotice, line)
}

// record writes down that long work is under way. The engine overwrites it when that has ended.
func (r *reporter) record(now *loop.Status) {
	busy := working(now.State)
	if !busy || now.State != r.seen.State {
		r.written = false
	}
	if !busy || r.written || time.Since(now.Since) < longWork {
		return
	}
	r.written = true
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		return
	}
	err := journal.Update(r.session.Journal, func(s *journal.ProcessState) { s.Phase, s.PhaseSince = string(now.State), now.Since })
	if err != nil {
		r.log().Debug("cannot write down the state", "err", err) // the cycle meets the same error, and says it
	}
}

// progress tells about the transfers in activity, and once more when there are none.
func (r *reporter) progress() {
	all, rate, _ := r.activity.Transfers()
	if len(all) == 0 && !r.moved {
		return
	}
	r.moved = len(all) > 0
	id := r.id()
	r.d.publish("progress", id, progressEvent{eventHead: head("progress", id), Rate: rate, Transfers: all})
}
