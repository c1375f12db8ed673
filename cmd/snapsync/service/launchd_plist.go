package service

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// Text is the property list.
func (l *launchd) Text(j *Job) (string, error) {
	for _, word := range append(append([]string{j.Program}, j.Args...), j.Env...) {
		if !utf8.ValidString(word) {
			return "", exit.Usage("rename it", "launchd cannot be told of %q, which is not UTF-8", word)
		}
	}
	return render("io.github.snapsync.plist.tmpl", struct {
		*Job
		System        bool
		Label, Stderr string
		Environment   []variable
		ExitTimeOut   time.Duration
	}{j, l.system, launchdLabel, l.stderrPath(j), l.environment(j), stopTime})
}

// variable is one of the environment.
type variable struct{ Name, Value string }

// environment is that of the process. A daemon is not told where the home of its user is, beneath which it looks for
// everything.
func (l *launchd) environment(j *Job) []variable {
	var env []variable
	if l.system {
		env = append(env, variable{"HOME", j.User.HomeDir})
	}
	for _, pair := range j.Env {
		name, value, _ := strings.Cut(pair, "=")
		env = append(env, variable{name, value})
	}
	return env
}

// stderrPath is the file for what is said before the log is open, and for where a crash was.
func (l *launchd) stderrPath(j *Job) string {
	if l.system {
		return "/Library/Logs/" + Name + ".stderr.log"
	}
	return strings.TrimSuffix(j.Log, ".log") + ".stderr.log"
}
