package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// launchd is the service manager of macOS: an agent of a user, or a daemon of the machine. It takes up
// what lies in its directory at the next login or boot, so that writing a file is all that install does;
// start and stop load and unload it until then.
type launchd struct {
	app    *app
	system bool
	home   string
}

const launchdLabel = "io.github.snapsync"

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
			return "", usage("rename it", "launchd cannot be told of %s, which is not UTF-8", show(word))
		}
	}
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	b.WriteString("<!-- Written by 'snapsync service install', which replaces it. -->\n<plist version=\"1.0\">\n<dict>\n")
	plistKey(&b, "Label", plistString(launchdLabel))
	plistKey(&b, "ProgramArguments", plistArray(append([]string{j.program}, j.args...)))
	if len(j.env) > 0 {
		plistKey(&b, "EnvironmentVariables", plistDict(j.env))
	}
	if l.system {
		plistKey(&b, "UserName", plistString(j.user.Username))
	}
	plistKey(&b, "RunAtLoad", "<true/>")
	plistKey(&b, "KeepAlive", "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>")
	plistKey(&b, "ThrottleInterval", "<integer>30</integer>")
	plistKey(&b, "ExitTimeOut", "<integer>30</integer>")
	plistKey(&b, "ProcessType", plistString("Background"))
	plistKey(&b, "Nice", "<integer>10</integer>")
	plistKey(&b, "LowPriorityIO", "<true/>")
	// What is said before the log is open, and where a crash was.
	plistKey(&b, "StandardErrorPath", plistString(strings.TrimSuffix(j.log, ".log")+".stderr.log"))
	b.WriteString("</dict>\n</plist>\n")
	return b.String(), nil
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
	text, err := l.text(j)
	if err != nil {
		return err
	}
	changed, err := writeDefinition(l.path(), text)
	if err != nil {
		return err
	}
	a := l.app
	if changed {
		a.tell("wrote %s", show(l.path()))
	} else {
		a.tell("%s is up to date", show(l.path()))
	}
	a.tell("it runs as %s, and starts with %s", j.user.Username, map[bool]string{true: "the machine", false: "your session"}[l.system])
	a.tell("start it now:  snapsync service start")
	a.tell("look at it:    snapsync service status, snapsync status")
	a.tell("its log:       %s", show(j.log))
	return nil
}

func (l *launchd) uninstall() error {
	if l.loaded() {
		if err := l.ctl("bootout", l.service()); err != nil {
			return err
		}
	}
	found, err := removeDefinition(l.path())
	if err != nil {
		return err
	}
	if !found {
		l.app.tell("not installed: there is no %s", show(l.path()))
		return nil
	}
	l.app.tell("removed %s; configuration, state and log are as they were", show(l.path()))
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
		return err
	}
	l.app.tell("started; 'snapsync status' shows how the mappings stand")
	return nil
}

func (l *launchd) stop() error {
	if err := l.installed(); err != nil {
		return err
	}
	if l.loaded() {
		if err := l.ctl("bootout", l.service()); err != nil {
			return err
		}
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

// loaded reports whether launchd knows the service now.
func (l *launchd) loaded() bool { return l.ctl("print", l.service()) == nil }

func (l *launchd) ctl(args ...string) error {
	_, err := runTool(l.app, append([]string{"launchctl"}, args...)...)
	return err
}
