package backends

import (
	"context"
	"log/slog"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"

	"github.com/snapsync/snapsync/backends/generic"
	"github.com/snapsync/snapsync/backends/local"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// Config says which remote to open and how. Only Remote is required.
type Config struct {
	Remote  string // anything that rclone takes: mys3:bucket/y, :sftp,host=h:path, /a/directory
	Source  string // the source directory, absolute; needed for Rclone.Metadata
	Rclone  rclone.Options
	BwLimit string // rclone's syntax, a timetable included; holds for the whole process
	// Wait is how long a remote that neither answers nor refuses is waited for; 0: 15 s.
	Wait time.Duration
	Log  *slog.Logger // nil: discarded
	// Uploads is where unfinished uploads are remembered; nil: nothing is resumed.
	Uploads remote.Uploads
	// UploadAge is how long an unfinished upload that nobody goes on with is kept; 0: 7 days.
	UploadAge time.Duration
	// StateDir is a directory for what is remembered of servers, such as their host keys; "": nothing is.
	StateDir string
	Generic  bool // no Accelerator is used
}

// Open connects to a remote. The Connection lives longer than ctx, which bounds only the opening.
// ErrOffline comes within seconds if nobody answers. A root that does not exist is not created.
func Open(ctx context.Context, cfg Config) (remote.Connection, error) {
	if err := rclone.Init(ctx, rclone.Settings{Log: cfg.Log}); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Wait == 0 {
		cfg.Wait = 15 * time.Second
	}
	if cfg.BwLimit != "" {
		if err := rclone.SetBandwidth(cfg.BwLimit); err != nil {
			return nil, err
		}
	}
	rctx, err := rclone.Context(context.WithoutCancel(ctx), cfg.Rclone)
	if err != nil {
		return nil, err
	}
	name, err := rclone.ParseName(cfg.Remote)
	if err != nil {
		return nil, err
	}
	if err := name.Refuse(); err != nil {
		return nil, err
	}
	info, section, root, options, err := fs.ConfigFs(cfg.Remote)
	if err != nil {
		return nil, name.Explain(err)
	}
	if dir, ok := plainLocal(rctx, &cfg, name, info, options); ok {
		c, err := local.Open(dir, cfg.Rclone.Links)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	d := &Details{Name: name, Section: section, Options: options, Root: root, Config: &cfg, info: info}
	if c, err := accelerated(ctx, rctx, d); c != nil || err != nil {
		return c, err
	}
	c, err := generic.Open(ctx, rctx, generic.Config{
		Name: name, Source: cfg.Source, Rclone: cfg.Rclone, Wait: cfg.Wait, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// plainLocal returns the directory if nothing that only rclone's backend can do was asked for.
func plainLocal(rctx context.Context, cfg *Config, name rclone.Name, info *fs.RegInfo, options *configmap.Map) (string, bool) {
	if cfg.Rclone.Metadata || cfg.Rclone.BackupDir != "" || cfg.Rclone.Suffix != "" || info.Name != "local" || len(cfg.Rclone.Options) > 0 || len(fs.GetConfig(rctx).DisableFeatures) > 0 {
		return "", false
	}
	for option := range info.Options.NonDefault(options) {
		if option != "links" && option != "skip_links" && option != "copy_links" {
			return "", false
		}
	}
	return name.Local()
}
