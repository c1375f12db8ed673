package rclone

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"

	"github.com/snapsync/snapsync/backends/rclone/answers"
)

// Options is what rclone is told of one remote. The zero value is rclone's own configuration.
type Options struct {
	// Options are rclone's global options and the flags of its backends, by name: "contimeout",
	// "s3_no_head". The latter hold for the whole process, as they do in rclone. Those that package answers refuses are an error.
	Options   map[string]string
	Links     bool   // symbolic links are kept as such
	Metadata  bool   // keep what rclone calls metadata: modes, owners, extended attributes
	BackupDir string // a remote, of the same configuration as the one that is opened, where backups go
	Suffix    string // added to the names of backups
}

// Context returns a context that carries rclone's configuration as o says. rclone looks for it in the context of
// every call, so those are made from this one with fs.CopyConfig.
func Context(ctx context.Context, o Options) (context.Context, error) {
	ctx, ci := fs.AddConfig(ctx)
	main, err := take(ci, o.Options, setBackendOption)
	if err != nil {
		return nil, err
	}
	ci.Links, ci.Metadata = o.Links, o.Metadata
	ci.BackupDir, ci.Suffix = o.BackupDir, o.Suffix
	bound(ci, main)
	return ctx, nil
}

// CheckOptions returns the error that Context would return for these options. It changes nothing.
func CheckOptions(options map[string]string) error {
	_, ci := fs.AddConfig(context.Background()) // a copy
	_, err := take(ci, options, func(name, value string) error {
		return eachBackendOption(name, func(opt *fs.Option) error {
			trial := *opt
			return trial.Set(value)
		})
	})
	return err
}

// take puts rclone's global options into ci, hands those of its backends to other, and returns the former.
func take(ci *fs.ConfigInfo, options map[string]string, other func(name, value string) error) (configmap.Simple, error) {
	main := configmap.Simple{}
	given := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		name := answers.Canonical(key)
		o, known := answers.Of(name)
		given[name] = options[key]
		switch {
		case known && (o.Refused() || o.Class == answers.Ours):
			return nil, fmt.Errorf("rclone option %q: %s", key, o.Advice())
		case known && o.Class == answers.Always, unregistered[name] != nil:
		case fs.ConfigOptionsInfo.Get(name) != nil:
			main[name] = options[key]
		default:
			if err := other(name, options[key]); err != nil {
				return nil, err
			}
		}
	}
	if err := configstruct.Set(main, ci); err != nil {
		return nil, fmt.Errorf("rclone options: %w", err)
	}
	return main, takeUnregistered(ci, given)
}

// IsSwitch reports whether an option of rclone's is on when nothing but its name is given.
func IsSwitch(name string) (on bool) {
	name = answers.Canonical(name)
	if opt := globalOption(name); opt != nil {
		_, on = opt.Default.(bool)
		return on
	}
	_ = eachBackendOption(name, func(opt *fs.Option) error {
		switch opt.Default.(type) {
		case bool, fs.Tristate:
			on = true
		}
		return nil
	})
	return on
}

// IsList reports whether an option of rclone's is a list, which grows when it is given again.
func IsList(name string) bool {
	switch name = answers.Canonical(name); name {
	case "header", "header_upload", "metadata_set", "disable":
		return true
	}
	opt := globalOption(name)
	if opt == nil {
		return false
	}
	_, is := opt.Default.([]string)
	return is
}

// globalOption returns what rclone knows of one of its global options, nil if it is none.
func globalOption(name string) *fs.Option {
	for _, block := range fs.OptionsRegistry {
		if opt := block.Options.Get(name); opt != nil {
			return opt
		}
	}
	return nil
}

// bound lowers those of rclone's defaults that make an outage take minutes to be noticed: the engine
// retries whole steps, so a request need not be patient. What the user set is kept.
func bound(ci *fs.ConfigInfo, set configmap.Simple) {
	const (
		connectTimeout = 10 * time.Second // rclone: 60 s
		rcloneRetries  = 10
		retries        = 3 // within one request; matters for the parts of large uploads
	)
	isSet := func(name string) bool {
		_, inOptions := set[name]
		_, inEnv := os.LookupEnv(fs.OptionToEnv(name))
		return inOptions || inEnv
	}
	if !isSet("contimeout") {
		ci.ConnectTimeout = min(ci.ConnectTimeout, fs.Duration(connectTimeout))
	}
	if !isSet("low_level_retries") && ci.LowLevelRetries == rcloneRetries {
		ci.LowLevelRetries = retries
	}
	ci.AskPassword = false // what a backend asks for in mid-run nobody answers
}

var backendOptions sync.Mutex

// setBackendOption sets an option of a backend by the name of its flag, such as s3_chunk_size. As
// with rclone's flags, it holds for all remotes of that type in this process.
func setBackendOption(name, value string) error {
	backendOptions.Lock()
	defer backendOptions.Unlock()
	return eachBackendOption(name, func(opt *fs.Option) error { return opt.Set(value) })
}

// eachBackendOption calls fn for the options whose flag has this name: several backends may have it.
func eachBackendOption(name string, fn func(*fs.Option) error) error {
	found := false
	for _, backend := range fs.Registry {
		for i := range backend.Options {
			opt := &backend.Options[i]
			flag := backend.Prefix + "_" + opt.Name
			if opt.NoPrefix {
				flag = opt.Name
			}
			if flag != name {
				continue
			}
			if err := fn(opt); err != nil {
				return fmt.Errorf("rclone option %q: %w", name, err)
			}
			found = true
		}
	}
	if !found {
		return fmt.Errorf("rclone option %q is not known: `rclone help flags` lists them all", name)
	}
	return nil
}

// Advice says what to do about a flag that snapsync has not and rclone may have, --fast-list or -u; "": rclone has none such.
func Advice(flag string) string {
	letter, short := strings.CutPrefix(flag, "-")
	if short && len(letter) == 1 {
		o, _ := answers.OfShort(letter)
		return adviceOn(o)
	}
	name := answers.Canonical(flag)
	if o, known := answers.Of(name); known {
		return adviceOn(o)
	}
	if eachBackendOption(name, func(*fs.Option) error { return nil }) != nil {
		return ""
	}
	return adviceOn(answers.Option{Name: name, Class: answers.Passed, Say: "or set it for the remote in its configuration"})
}

func adviceOn(o answers.Option) string {
	if o.Name == "" {
		return ""
	}
	if o.Class == answers.Passed && IsSwitch(o.Name) {
		return strings.Replace(o.Advice(), "=VALUE", "", 1)
	}
	return o.Advice()
}
