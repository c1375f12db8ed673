package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// launchd is the service manager of macOS: an agent of a user, or a daemon of the machine. It takes up
// what lies in its directory at the next login or boot, so that writing a file is all that install does;
// start and stop load and unload it until then.
type launchd struct {
	app    *app
	system bool
	home   string
}

const (
	launchdLabel = "io.github.snapsync"
	exitTimeOut  = 30 * time.Second // from SIGTERM to SIGKILL
)

func newLaunchd(a *app, system bool) (*launchd, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("find home directory: %w", err)
	}
	return &launchd{a, system, home}, nil
}

func (l *launchd) path() string {
	if l.system {
		return filepath.Join("/Library/LaunchDaemons", launchdLabel+".plist")
	}
	return filepath.Join(l.home, "Library", "LaunchAgents", launchdLabel+".plist")
}

// domain is where launchctl looks for the service.
func (l *launchd) domain() string {
	if l.system {
		return "system"
	}
	return "gui/" + strconv.Itoa(os.Getuid())
}

func (l *launchd) service() string { return l.domain() + "/" + launchdLabel }

// text is the property list. Failures restart it, half a minute apart; launchd cannot be told that a mistake
// in the configuration is not worth that. ProcessType and what follows keep it out of people's way.
func (l *launchd) text(j *job) (string, error) {
	for _, word := range append(append([]string{j.program}, j.args...), j.env...) {
		if !utf8.ValidString(word) {
			return "", exit.Usage("rename it", "launchd cannot be told of %s, which is not UTF-8", text.Path(word))
		}
	}
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	b.WriteString("<!-- Written by 'snapsync service install', which replaces it. -->\n<plist version=\"1.0\">\n<dict>\n")
	plistKey(&b, "Label", plistString(launchdLabel))
	plistKey(&b, "ProgramArguments", plistArray(append([]string{j.program}, j.args...)))
	if env := l.environment(j); len(env) > 0 {
		plistKey(&b, "EnvironmentVariables", plistDict(env))
	}
	if l.system {
		plistKey(&b, "UserName", plistString(j.user.Username))
	}
	plistKey(&b, "RunAtLoad", "<true/>")
	plistKey(&b, "KeepAlive", "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>")
	plistKey(&b, "ThrottleInterval", "<integer>30</integer>")
	plistKey(&b, "ExitTimeOut", fmt.Sprintf("<integer>%d</integer>", exitTimeOut/time.Second))
	plistKey(&b, "ProcessType", plistString("Background"))
	plistKey(&b, "Nice", "<integer>10</integer>")
	plistKey(&b, "LowPriorityIO", "<true/>")
	plistKey(&b, "StandardErrorPath", plistString(l.stderrPath(j)))
	b.WriteString("</dict>\n</plist>\n")
	return b.String(), nil
}

// environment is that of the process. A daemon is not told where the home of its user is, beneath which it looks for
// everything.
func (l *launchd) environment(j *job) []string {
	if !l.system {
		return j.env
	}
	return append([]string{"HOME=" + j.user.HomeDir}, j.env...)
}

// stderrPath is the file for what is said before the log is open, and for where a crash was.
func (l *launchd) stderrPath(j *job) string {
	if l.system {
		return "/Library/Logs/" + serviceName + ".stderr.log"
	}
	return strings.TrimSuffix(j.log, ".log") + ".stderr.log"
}

// makeStderr makes that file: launchd starts nothing whose files it cannot open, and makes no directories.
func (l *launchd) makeStderr(j *job) error {
	path := l.stderrPath(j)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory of the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make file for errors: %w", err)
	}
	if l.system {
		uid, _ := strconv.Atoi(j.user.Uid) // numbers, wherever there is a launchd
		gid, _ := strconv.Atoi(j.user.Gid)
		err = f.Chown(uid, gid)
	}
	return errors.Join(err, f.Close())
}

func plistKey(b *strings.Builder, key, value string) {
	fmt.Fprintf(b, "\t<key>%s</key>\n\t%s\n", key, value)
}

func plistString(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return "<string>" + b.String() + "</string>"
}

func plistArray(words []string) string {
	var b strings.Builder
	b.WriteString("<array>\n")
	for _, w := range words {
		fmt.Fprintf(&b, "\t\t%s\n", plistString(w))
	}
	return b.String() + "\t</array>"
}

// plistDict writes NAME=VALUE pairs.
func plistDict(pairs []string) string {
	var b strings.Builder
	b.WriteString("<dict>\n")
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&b, "\t\t<key>%s</key>\n\t\t%s\n", name, plistString(value))
	}
	return b.String() + "\t</dict>"
}

func (l *launchd) install(j *job) error {
	msg, err := l.text(j)
	if err != nil {
		return err
	}
	if err := l.makeStderr(j); err != nil {
		return err
	}
	changed, err := writeDefinition(l.path(), msg)
	if err != nil {
		return err
	}
	a, scope := l.app, ""
	if l.system {
		scope = " --system"
	}
	if changed {
		a.tell("wrote %s", text.Path(l.path()))
	} else {
		a.tell("%s is up to date", text.Path(l.path()))
	}
	a.tell("it runs as %s, and starts with %s", j.user.Username, map[bool]string{true: "the machine", false: "your session"}[l.system])
	if changed && l.loaded() {
		a.tell("it still runs as it was installed before: snapsync service stop%s, then start it again", scope)
	}
	a.tell("start it now:  snapsync service start%s", scope)
	a.tell("look at it:    snapsync service status%s, snapsync status", scope)
	a.tell("its log:       %s", text.Path(j.log))
	return nil
}

func (l *launchd) uninstall() error {
	if err := l.unload(); err != nil {
		return err
	}
	found, err := removeDefinition(l.path())
	if err != nil {
		return err
	}
	if !found {
		l.app.tell("not installed: there is no %s", text.Path(l.path()))
		return nil
	}
	l.app.tell("removed %s; configuration, state and log are as they were", text.Path(l.path()))
	return nil
}

func (l *launchd) start() error {
	if err := l.installed(); err != nil {
		return err
	}
	action := []string{"bootstrap", l.domain(), l.path()}
	if l.loaded() {
		action = []string{"kickstart", l.service()}
	}
	if err := l.ctl(action...); err != nil {
		if l.system {
			return err
		}
		return &exit.Failure{Status: exit.StatusError, Err: err, Hint: "an agent runs in the session of whoever is logged in at the screen, not in that of ssh or sudo; --system needs no session"}
	}
	l.app.tell("started; 'snapsync status' shows how the mappings stand")
	return nil
}

func (l *launchd) stop() error {
	if err := l.installed(); err != nil {
		return err
	}
	if err := l.unload(); err != nil {
		return err
	}
	l.app.tell("stopped; what was under way is finished or recorded")
	return nil
}

func (l *launchd) installed() error {
	if _, err := os.Stat(l.path()); err != nil {
		return notInstalled(l.system)
	}
	return nil
}

func (l *launchd) status() (*serviceStatus, error) {
	st := &serviceStatus{Definition: l.path(), State: "stopped"}
	if l.installed() == nil {
		st.Installed, st.Enabled = true, true
	}
	out, err := runTool(l.app, "launchctl", "print", l.service())
	if err != nil {
		return st, nil // not loaded
	}
	st.fillLaunchd(out)
	return st, nil
}

// fillLaunchd takes in what `launchctl print` says, which is for people: the first line of each kind
// is the service's own.
func (st *serviceStatus) fillLaunchd(out string) {
	first := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if _, seen := first[key]; ok && !seen {
			first[key] = value
		}
	}
	if first["state"] == "running" {
		st.State = "running"
	}
	st.PID, _ = strconv.Atoi(first["pid"])
	if code := first["last exit code"]; st.State != "running" && code != "" && code != "0" && !strings.HasPrefix(code, "(") {
		st.State, st.Text = "failed", "exit status "+code
	}
}

// unload ends the process and has launchd forget the service. launchctl returns before that is so, with an error
// if it takes long, and until then the service cannot be loaded again.
func (l *launchd) unload() error {
	if !l.loaded() {
		return nil
	}
	err := l.ctl("bootout", l.service())
	if err != nil && !strings.Contains(err.Error(), "in progress") {
		return err
	}
	for deadline := time.Now().Add(exitTimeOut + 10*time.Second); l.loaded(); {
		if time.Now().After(deadline) || l.app.ctx.Err() != nil {
			return errors.New("launchd still has the service: try again")
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// loaded reports whether launchd knows the service now.
func (l *launchd) loaded() bool { return l.ctl("print", l.service()) == nil }

func (l *launchd) ctl(args ...string) error {
	_, err := runTool(l.app, append([]string{"launchctl"}, args...)...)
	return err
}
