package settings

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
)

// ProcessFlags are what all mappings of a process share.
type ProcessFlags struct {
	MaxTransfers string `group:"transfer" placeholder:"N|auto" default:"auto" help:"Parallel steps of all mappings of this process together. 0: no limit; auto: 256, or as many as the transfers of a mapping ask for."`
	MetricsAddr  string `group:"watch" placeholder:"HOST:PORT" help:"Answer Prometheus at http://HOST:PORT/metrics, too. The control socket always does."`
}

// defaultSlots is how many steps the mappings of a process execute at once, all of them together, unless
// a person says otherwise: what a single mapping takes at most when it finds out by itself (engine), so that
// one alone is never held up by it, and so that twenty, which would be 5,120, are no more to the machine, the uplink and
// the servers than one: each step is a file that is open, mostly a connection too, and up to some MiB of
// buffers. Steps are let in in the order in which they come, whichever mapping they are of. More is
// for a mapping whose `transfers` asks for that on its own.
const defaultSlots = engine.MaxTransfers

// MaxSlots is more steps at once than any process executes.
const MaxSlots = 1 << 20

// Slots returns how many steps of these mappings may be executed at once: what --max-transfers means.
func (f *ProcessFlags) Slots(specs []Spec) (int64, error) {
	if f.MaxTransfers != "" && !strings.EqualFold(f.MaxTransfers, "auto") {
		n, err := strconv.ParseInt(f.MaxTransfers, 10, 32)
		switch {
		case err != nil || n < 0:
			return 0, exit.Usage("auto, or a number; 0 means no limit", "max-transfers %q: want a number from 0 up, or auto", f.MaxTransfers)
		case n == 0:
			return MaxSlots, nil
		}
		return min(n, MaxSlots), nil
	}
	size := defaultSlots
	for i := range specs {
		if n, err := specs[i].parallel(); err == nil { // else Prepare says so
			size = max(size, n)
		}
	}
	return int64(min(size, MaxSlots)), nil
}

// Process are the keys of the process, with what is in force or would be.
type Process struct {
	Globals
	ProcessFlags
	Bwlimit string
}

// restartKeys are what everything was built on when the process began.
var restartKeys = []string{"state-dir", "config", "password-command", "rclone", "use-json-log"}

// Flags returns the flags of the process; their targets are the fields of s.
func (s *Process) Flags() []*kong.Flag { return FlagsOf(s) }

// settingChecks refuse what a key of the process cannot mean.
var settingChecks = []struct {
	key   string
	check func(*Process) error
}{
	{"log-level", func(s *Process) error { _, err := s.Level(); return err }},
	{"log-file-max-size", func(s *Process) error {
		_, err := (&RotationFlags{LogFileMaxSize: s.LogFileMaxSize}).rotation()
		return err
	}},
	{"log-file-max-age", func(s *Process) error {
		_, err := (&RotationFlags{LogFileMaxAge: s.LogFileMaxAge}).rotation()
		return err
	}},
	{"log-file-max-backups", func(s *Process) error {
		_, err := (&RotationFlags{LogFileMaxBackups: s.LogFileMaxBackups}).rotation()
		return err
	}},
	{"rclone", func(s *Process) error { _, err := s.rcloneOptions(); return err }},
	{"bwlimit", func(s *Process) error { return rclone.CheckBandwidth(s.Bwlimit) }},
	{"max-transfers", func(s *Process) error { _, err := s.Slots(nil); return err }},
	{"metrics-addr", func(s *Process) error { return checkAddress(s.MetricsAddr) }},
}

// Wrong returns what is wrong with the keys of the process that the file sets.
func (s *Process) Wrong(file *config.File) (found config.Problems) {
	for _, c := range settingChecks {
		v, set := file.Process[c.key]
		if !set {
			continue
		}
		if err := c.check(s); err != nil {
			found = append(found, file.Problem(v.At, "%s: %w", c.key, WithHint(err)))
		}
	}
	return found
}

// WithHint has the error say its remedy itself.
func WithHint(err error) error {
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

// Changes names the keys whose values differ: those that can be changed, and those, which next gets from s,
// that cannot.
func (s *Process) Changes(next *Process) (changed, restart []string) {
	was, is := s.Flags(), next.Flags()
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
