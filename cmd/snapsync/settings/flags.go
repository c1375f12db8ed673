package settings

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/rclone/answers"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/snapshot"
)

// The flags of `run`, and those of every command, are keys of the config file as well. A tag says where:
//
//	config:"-"         nowhere: it belongs to one call
//	config:"process"   at the top of the file: all mappings of a process share it
//
// Without a tag those that Spec embeds are set for mappings, all others for the process.

// Globals are the flags of every command.
type Globals struct {
	Mappings        string           `group:"global" config:"-" placeholder:"FILE" help:"The config file of mappings. Default: $XDG_CONFIG_HOME/snapsync/config.toml."`
	StateDir        string           `group:"global" placeholder:"DIR" help:"Where mappings keep their state. Default: $XDG_STATE_HOME/snapsync."`
	Config          string           `group:"global" placeholder:"FILE" help:"The configuration file of rclone. Default: as rclone finds it."`
	PasswordCommand string           `group:"global" placeholder:"COMMAND" help:"Prints the password of an encrypted rclone configuration."`
	Rclone          []string         `group:"global" sep:"none" placeholder:"KEY=VALUE" help:"An option of rclone that is followed here, too, such as low-level-retries=3; docs/from-rclone.md has them all. Repeatable."`
	JSON            bool             `name:"json" group:"output" config:"-" help:"Machine output on stdout: one object per line."`
	Verbose         int              `group:"output" short:"v" type:"counter" config:"-" help:"Log each step; twice: log everything."`
	Quiet           bool             `group:"output" short:"q" config:"-" help:"Say nothing but errors."`
	LogFile         string           `group:"output" placeholder:"FILE" help:"Append log lines to a file instead of writing them to stderr."`
	LogLevel        string           `group:"output" placeholder:"LEVEL" help:"DEBUG, INFO, NOTICE or ERROR. Default: NOTICE."`
	UseJSONLog      bool             `group:"output" name:"use-json-log" help:"Log lines are JSON objects."`
	Version         kong.VersionFlag `group:"global" env:"-" config:"-" help:"Show the version and exit."`

	RotationFlags
}

// Target are the flags that name a mapping from outside: what `run` and `plan` need.
type Target struct {
	Remote  string `group:"which" config:"-" placeholder:"REMOTE" help:"Where to: anything that rclone takes, or a directory."`
	Mapping string `group:"which" config:"-" short:"m" placeholder:"NAME" help:"A mapping of the config file. Without this and --remote: all of them."`
}

// Selection are the flags that pick one of the mappings that have state already.
type Selection struct {
	Target
	Source string `group:"which" placeholder:"DIR" help:"The source of the mapping. Default: the one that contains the working directory, else all of the config file, else the only one."`
}

// SyncFlags say what the remote should hold and how it gets there. They are remembered in the
// mapping's state, so that commands which come later judge by the same rules.
type SyncFlags struct {
	CompleteSync       bool   `group:"what" help:"The remote is a true reflection: deletes are mirrored. Off: the remote retains what was deleted."`
	Links              bool   `group:"what" short:"l" xor:"links" help:"Store symlinks as NAME.rclonelink, as rclone does."`
	CopyLinks          bool   `group:"what" short:"L" xor:"links" help:"Follow symlinks and store what they point to."`
	SkipLinks          bool   `group:"what" xor:"links" help:"Skip symlinks. This is the default."`
	OneFileSystem      bool   `group:"what" short:"x" help:"Do not look into other file systems mounted inside the source."`
	CreateEmptySrcDirs bool   `group:"what" help:"Mirror directories that hold no files, too."`
	Metadata           bool   `group:"what" short:"M" help:"Keep more than the mtime, where the remote can: modes, owners, extended attributes."`
	Checksum           bool   `group:"what" short:"c" help:"Trust content only: read and hash every file, however it looks."`
	BackupDir          string `group:"safety" placeholder:"DIR" help:"Move what is deleted or replaced into this directory of the same remote."`
	Suffix             string `group:"safety" placeholder:"SUFFIX" help:"Add this to the names of what is deleted or replaced. Without --backup-dir, such names are not mirrored themselves."`

	FilterFlags
}

// GuardFlags decide which deletes need a person.
type GuardFlags struct {
	MaxDelete string `group:"safety" placeholder:"N|N%" help:"Hold all deletes of a plan that has more; moves do not count. Default: 50%, from 10 files up."`
	Approve   bool   `group:"safety" config:"-" help:"Let the held deletes of exactly this plan through."`
}

// TransferFlags decide how fast things go.
type TransferFlags struct {
	Transfers string `group:"transfer" placeholder:"N|auto" default:"auto" help:"Parallel transfers."`
	Bwlimit   string `group:"transfer" config:"process" placeholder:"LIMIT" help:"Bandwidth limit in rclone's syntax: 10M, or a timetable such as '08:00,512k 19:00,off'."`
	Retries   int    `group:"transfer" placeholder:"N" default:"3" help:"Attempts for each path within one run."`

	UploadAge time.Duration `group:"transfer" placeholder:"TIME" default:"168h" help:"How long an interrupted upload that nobody goes on with is kept on the remote."`
}

// FilterFlags are rclone's filter rules under rclone's names.
type FilterFlags struct {
	Include          []string `group:"filter" sep:"none" placeholder:"PATTERN" help:"Include only files that match."`
	IncludeFrom      []string `group:"filter" sep:"none" placeholder:"FILE" help:"Read include patterns from a file."`
	Exclude          []string `group:"filter" sep:"none" placeholder:"PATTERN" help:"Exclude files that match."`
	ExcludeFrom      []string `group:"filter" sep:"none" placeholder:"FILE" help:"Read exclude patterns from a file."`
	Filter           []string `group:"filter" short:"f" sep:"none" placeholder:"RULE" help:"Add a rule: '+ PATTERN' or '- PATTERN'."`
	FilterFrom       []string `group:"filter" sep:"none" placeholder:"FILE" help:"Read rules from a file."`
	FilesFrom        []string `group:"filter" sep:"none" placeholder:"FILE" help:"Read the names of the files that belong from a file."`
	FilesFromRaw     []string `group:"filter" sep:"none" placeholder:"FILE" help:"The same, without comments and trimming."`
	ExcludeIfPresent []string `group:"filter" sep:"none" placeholder:"NAME" help:"Exclude directories that hold a file of this name."`
	MinSize          string   `group:"filter" placeholder:"SIZE" help:"Only files of at least this size."`
	MaxSize          string   `group:"filter" placeholder:"SIZE" help:"Only files of at most this size."`
	MinAge           string   `group:"filter" placeholder:"AGE" help:"Only files at least this old: 1h, 2d, 2026-01-01."`
	MaxAge           string   `group:"filter" placeholder:"AGE" help:"Only files at most this old."`
	IgnoreCase       bool     `group:"filter" help:"Patterns ignore case."`
}

// WatchFlags say when a run that stays looks at what, and how often it tries a remote that is away.
type WatchFlags struct {
	Settle      time.Duration `group:"watch" default:"500ms" placeholder:"TIME" help:"Quiet time that a path needs before it is looked at."`
	SettleMax   time.Duration `group:"watch" default:"30s" placeholder:"TIME" help:"Limit of that for a path that is never quiet."`
	DeleteDelay time.Duration `group:"watch" default:"5s" placeholder:"TIME" help:"Grace for removals, which may be half of a rename."`
	Interval    time.Duration `group:"watch" default:"1h" placeholder:"TIME" help:"Time between periodic scans."`
	ProbeMin    time.Duration `group:"watch" default:"1s" placeholder:"TIME" help:"First pause before a remote that is away is tried again; it doubles each time."`
	ProbeMax    time.Duration `group:"watch" default:"1m" placeholder:"TIME" help:"Longest of these pauses."`

	PollInterval time.Duration `group:"watch" default:"30s" placeholder:"TIME" help:"Time between looks at directories that cannot be watched."`
}

func (f *SyncFlags) linkMode() snapshot.LinkMode {
	switch {
	case f.Links:
		return snapshot.KeepLinks
	case f.CopyLinks:
		return snapshot.FollowLinks
	}
	return snapshot.SkipLinks
}

func (f *GuardFlags) limit() (guard.MaxDelete, error) {
	if f.MaxDelete == "" {
		return guard.MaxDelete{}, nil // the engine's default
	}
	m, err := guard.ParseMaxDelete(f.MaxDelete)
	if err != nil {
		return m, exit.Usage("0 holds every delete, 100% none", "%w", err)
	}
	return m, nil
}

// parallel returns 0 for auto.
func (f *TransferFlags) parallel() (int, error) {
	if f.Transfers == "" || strings.EqualFold(f.Transfers, "auto") {
		return 0, nil
	}
	n, err := strconv.Atoi(f.Transfers)
	if err != nil || n < 1 {
		return 0, exit.Usage("", "transfers %q: want a number from 1 up, or auto", f.Transfers)
	}
	return n, nil
}

// rcloneOptions parses --rclone KEY=VALUE, or KEY for what is on or off. Keys may be written as flags or as option names. Lists grow,
// of others the last one counts. What is always so is left out, what rclone or snapsync would not follow is refused.
func (g *Globals) rcloneOptions() (map[string]string, error) {
	options := make(map[string]string, len(g.Rclone))
	for _, kv := range g.Rclone {
		key, value, ok := strings.Cut(kv, "=")
		typed := strings.TrimSpace(key)
		key = answers.Canonical(typed)
		if o, known := answers.Of(key); known && (o.Refused() || o.Class == answers.Ours) {
			return nil, exit.Usage("docs/from-rclone.md has all of them", "rclone option %q: %s", typed, o.Advice())
		}
		if !ok && rclone.IsSwitch(key) {
			value, ok = "true", true
		}
		if !ok || key == "" {
			return nil, exit.Usage("for instance --rclone low-level-retries=3", "rclone option %q: want KEY=VALUE", kv)
		}
		if before, again := options[key]; again && rclone.IsList(key) {
			value = before + "," + value
		}
		options[key] = value
	}
	if err := rclone.CheckOptions(options); err != nil {
		return nil, exit.Usage("the options of --rclone have rclone's syntax: https://rclone.org/docs/", "%w", err)
	}
	maps.DeleteFunc(options, func(key, _ string) bool {
		o, known := answers.Of(key)
		return known && o.Class == answers.Always
	})
	return options, nil
}

// attempts refuses what cannot be a number of them.
func (f *TransferFlags) attempts() error {
	if f.Retries < 1 {
		return exit.Usage("1 means that nothing is tried twice", "retries %d: want a number from 1 up", f.Retries)
	}
	return nil
}

// check wants a remote.
func (t *Target) check() error {
	if t.Remote == "" {
		return exit.Usage("say where to with --remote, for instance --remote mys3:bucket/path or --remote /mnt/backup; "+
			"'snapsync config init' writes it down, so that it need not be said again", "no remote given")
	}
	return nil
}

// RotationFlags keep the log file from growing for ever. Names and meanings are rclone's.
type RotationFlags struct {
	LogFileMaxSize    string `group:"output" placeholder:"SIZE" help:"Rotate the log file when it reaches this size, such as 10M. Default: never."`
	LogFileMaxBackups int    `group:"output" placeholder:"N" help:"Old log files to keep. Default: all."`
	LogFileMaxAge     string `group:"output" placeholder:"AGE" help:"How long to keep old log files, such as 7d. Default: for ever."`
	LogFileCompress   bool   `group:"output" help:"Compress old log files."`
}

// rotation is what the flags mean. What cannot be a rotation is refused.
func (f *RotationFlags) rotation() (r console.Rotation, err error) {
	size := int64(-1)
	if f.LogFileMaxSize != "" {
		if size, err = rclone.ParseSize(f.LogFileMaxSize); err != nil {
			return r, exit.Usage("for instance 10M, or off", "--log-file-max-size: %w", err)
		}
	}
	var age time.Duration
	if f.LogFileMaxAge != "" {
		if age, err = rclone.ParseAge(f.LogFileMaxAge); err != nil {
			return r, exit.Usage("for instance 7d", "--log-file-max-age: %w", err)
		}
	}
	if f.LogFileMaxBackups < 0 {
		return r, exit.Usage("0 keeps all", "--log-file-max-backups %d: want a number from 0 up", f.LogFileMaxBackups)
	}
	return console.Rotation{MaxBytes: max(size, 0), MaxAge: age, MaxBackups: f.LogFileMaxBackups, Compress: f.LogFileCompress}, nil
}

// Spec is one mapping as a person describes it: by flags, or by a table of the config file. It is what
// `run` needs to keep it true, and all that differs between mappings of one process. Two that
// reflect.DeepEqual finds equal need no restart.
type Spec struct {
	Name string // of the config file; "" if it was given by flags
	Src  string
	Target
	SyncFlags
	GuardFlags
	TransferFlags
	WatchFlags
}

// Flags are the flags of a mapping; their targets are the fields of s.
func (s *Spec) Flags() []*kong.Flag {
	return FlagsOf(&s.SyncFlags, &s.GuardFlags, &s.TransferFlags, &s.WatchFlags)
}

// wrongTime refuses what cannot be a time to wait. Of interval, what is below 0 means never.
func (s *Spec) wrongTime() (key string, err error) {
	for _, t := range []struct {
		key  string
		time time.Duration
	}{
		{"settle", s.Settle}, {"settle-max", s.SettleMax}, {"delete-delay", s.DeleteDelay}, {"probe-min", s.ProbeMin}, {"probe-max", s.ProbeMax},
		{"poll-interval", s.PollInterval}, {"upload-age", s.UploadAge},
	} {
		if t.time < 0 {
			return t.key, exit.Usage("", "%s %v: want a time from 0 up", t.key, t.time)
		}
	}
	if s.ProbeMax > 0 && s.ProbeMin > s.ProbeMax {
		return "probe-min", exit.Usage("set both", "probe-min %v is more than probe-max %v", s.ProbeMin, s.ProbeMax)
	}
	return "", nil
}
