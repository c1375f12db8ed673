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
)

// Options is what rclone is told of one remote. The zero value is rclone's own configuration.
type Options struct {
	// Options are rclone's global options and the flags of its backends, by name: "contimeout",
	// "s3_no_head". The latter hold for the whole process, as they do in rclone.
	Options   map[string]string
	Links     bool   // symbolic links are kept as such
	Metadata  bool   // keep what rclone calls metadata: modes, owners, extended attributes
	BackupDir string // a remote, of the same configuration as the one that is opened, where backups go
	Suffix    string // added to the names of backups
}

// ours are options of rclone that a field of Options, or a rule of snapsync, has taken over.
var ours = map[string]string{
	"dry_run": "use snapsync plan", "interactive": "use snapsync plan", "links": "use --links",
	"metadata": "use --metadata", "backup_dir": "use --backup-dir", "suffix": "use --suffix",
	"bwlimit": "use --bwlimit", "transfers": "use --transfers", "max_delete": "use --max-delete",
	"checksum": "use --checksum",
}

// Context returns a context that carries rclone's configuration as o says. rclone looks for it in the context of
// every call, so those are made from this one with fs.CopyConfig.
func Context(ctx context.Context, o Options) (context.Context, error) {
	ctx, ci := fs.AddConfig(ctx)
	main := configmap.Simple{}
	for _, key := range slices.Sorted(maps.Keys(o.Options)) {
		name := strings.ReplaceAll(strings.TrimLeft(key, "-"), "-", "_")
		if hint := ours[name]; hint != "" {
			return nil, fmt.Errorf("rclone option %q: %s", key, hint)
		}
		if fs.ConfigOptionsInfo.Get(name) != nil {
			main[name] = o.Options[key]
		} else if err := setBackendOption(name, o.Options[key]); err != nil {
			return nil, err
		}
	}
	if err := configstruct.Set(main, ci); err != nil {
		return nil, fmt.Errorf("rclone options: %w", err)
	}
	ci.Links, ci.Metadata = o.Links, o.Metadata
	ci.BackupDir, ci.Suffix = o.BackupDir, o.Suffix
	bound(ci, main)
	return ctx, nil
}

// bound lowers those of rclone's defaults that make an outage take minutes to be noticed: the engine
// retries whole steps, so a request need not be patient. What the user set is kept.
func bound(ci *fs.ConfigInfo, set configmap.Simple) {
	const (
		connectTimeout = 10 * time.Second // rclone: 60 s
		rcloneRetries  = 10
		retries        = 3 // within one request; matters for the parts of large uploads
	)
	if _, ok := set["contimeout"]; !ok {
		ci.ConnectTimeout = min(ci.ConnectTimeout, fs.Duration(connectTimeout))
	}
	_, inOptions := set["low_level_retries"]
	_, inEnv := os.LookupEnv("RCLONE_LOW_LEVEL_RETRIES")
	if !inOptions && !inEnv && ci.LowLevelRetries == rcloneRetries {
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
			if err := opt.Set(value); err != nil {
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
