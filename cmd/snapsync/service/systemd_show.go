package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// shown are the properties of the service that matter here.
const shown = "ActiveState,SubState,MainPID,StatusText,ActiveEnterTimestamp,NRestarts,RestartUSec,Result,ExecMainStatus"

// show is what systemd says about the service, by property; empty if it does not answer.
func (s *systemd) show(ctx context.Context) map[string]string {
	out, err := s.output(ctx, "show", unitName, "--property="+shown)
	if err != nil {
		return nil
	}
	return properties(out)
}

// properties parses NAME=VALUE lines.
func properties(out string) map[string]string {
	p := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			p[name] = value
		}
	}
	return p
}

// fill takes in what systemd says. While no process runs its last word is old: then it is told how the
// process ended.
func (st *Status) fill(p map[string]string) {
	words := map[string]string{"active": "running", "reloading": "running", "activating": "starting", "deactivating": "stopping", "failed": "failed"}
	if word, ok := words[p["ActiveState"]]; ok {
		st.State = word
	}
	st.Text = p["StatusText"]
	switch {
	case st.State == "failed":
		st.Text = howItEnded(p)
	case p["SubState"] == "auto-restart":
		st.Text = fmt.Sprintf("%s; started again after %s", howItEnded(p), p["RestartUSec"])
	case st.State == "stopped":
		st.Text = ""
	}
	st.PID, _ = strconv.Atoi(p["MainPID"])
	st.Restarts, _ = strconv.Atoi(p["NRestarts"])
	if since, err := time.ParseInLocation("Mon 2006-01-02 15:04:05 MST", p["ActiveEnterTimestamp"], time.Local); err == nil && st.State == "running" {
		since = since.UTC()
		st.Since = &since
	}
}

// howItEnded says how the process ended, in the words of systemd.service(5) where they are good enough, and
// what a person can do about it.
func howItEnded(p map[string]string) string {
	status, _ := strconv.Atoi(p["ExecMainStatus"])
	switch p["Result"] {
	case "exit-code":
		return endedWith(status)
	case "signal", "core-dump":
		return fmt.Sprintf("ended by signal %d (%v)", status, syscall.Signal(status))
	case "watchdog":
		return "ended by the watchdog: it gave no sign of life"
	case "oom-kill":
		return "ended by the kernel: no memory was left"
	case "timeout":
		return "ended as it took too long to start or to stop"
	}
	return "ended: " + p["Result"]
}

// statusNoExec is systemd's own, instead of one of the program: EXIT_EXEC of systemd.exec(5).
const statusNoExec = 203

// endedWith says what an exit status means.
func endedWith(status int) string {
	meaning := map[int]string{
		exit.StatusUsage:    "'snapsync config check' tells what is wrong",
		exit.StatusNoSource: "the source is not there",
		exit.StatusOffline:  "the remote cannot be reached",
		exit.StatusLocked:   "another process has the mappings: 'snapsync status' shows it",
		statusNoExec:        "the program cannot be run from where it was installed: 'snapsync service install' again",
	}
	text := fmt.Sprintf("ended with status %d", status)
	if m, ok := meaning[status]; ok {
		text += ": " + m
	}
	return text
}

// journal is the command that shows what the service said before its log was open, and how it ended.
func (s *systemd) journal() string {
	if s.system {
		return "journalctl -u " + Name
	}
	return "journalctl --user -u " + Name
}
