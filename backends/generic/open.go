package generic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/cache"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// Config says which remote to open and how. Name, Wait and Log are required.
type Config struct {
	Name   rclone.Name
	Source string // the source directory, absolute; needed for Rclone.Metadata
	Rclone rclone.Options
	Wait   time.Duration // with a remote that neither answers nor refuses
	Log    *slog.Logger
}

// Open connects to a remote. The first Fs tries once and gives up soon, and tells whether anybody answers; the second
// does the work. rctx is of rclone.Context and has no deadline; ctx bounds the opening only.
func Open(ctx, rctx context.Context, cfg Config) (*Connection, error) {
	info, _, at, options, err := fs.ConfigFs(cfg.Name.Text())
	if err != nil {
		return nil, cfg.Name.Explain(err)
	}
	o := opening{cfg: &cfg, overlay: rclone.Bases(info.Name, at, options)}
	rctx, cancel := context.WithCancel(rctx)
	g := &Connection{
		cfg: &cfg, target: target{links: cfg.Rclone.Links, log: cfg.Log}, caller: caller{rctx: rctx, cancel: cancel, wait: cfg.Wait},
	}
	for _, name := range append(slices.Clone(o.overlay), cfg.Name.Text()) {
		err = cmp.Or(err, g.within(ctx, func(ctx context.Context) error { return portal(ctx, rctx, name) }))
	}
	if err == nil {
		err = g.within(ctx, func(ctx context.Context) (err error) { g.probe, err = o.reach(ctx, rctx); return err })
	}
	if err == nil {
		err = g.within(ctx, func(context.Context) (err error) { g.f, err = o.open(rctx); return err })
	}
	if err == nil {
		err = g.within(ctx, func(context.Context) (err error) { g.backup, err = openBackup(rctx, &cfg, g.f); return err })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open remote: %w", err), g.Close())
	}
	noTimes := false
	for _, name := range append(o.overlay, cfg.Name.Text()) {
		noTimes = noTimes || setsNoTimes(name)
	}
	g.learn(rctx, cfg.Rclone.Metadata, noTimes)
	g.caps.Backup = g.backup.f != nil
	g.kept, _ = cfg.Name.Roots() // it could be opened, so it can be looked through
	return g, nil
}

// setsNoTimes reports whether the options of a remote say that its mtimes are not to be set. rclone's sftp claims to keep
// them all the same.
func setsNoTimes(remote string) bool {
	_, _, _, options, err := fs.ConfigFs(remote)
	if err != nil {
		return false
	}
	value, set := options.Get("set_modtime")
	return set && value == "false"
}

// opening is one remote on its way to a Connection.
type opening struct {
	cfg     *Config
	overlay []string // the remotes that this one is built on, if it is built on others
}

// reach makes the Fs that Probe uses, and asks it one question.
//
// The path ends in a slash, so that a bucket remote takes it for a directory without asking: S3, when it cannot ask,
// takes it for a file, and the parent for the root. An overlay passes the path on encrypted or extended, so it asks.
func (o *opening) reach(ctx, rctx context.Context) (fs.Fs, error) {
	pctx, ci := fs.AddConfig(rctx)
	ci.LowLevelRetries = 1
	remote := o.cfg.Name.Text()
	if len(o.overlay) == 0 {
		remote = withSlash(remote)
	}
	f, err := fs.NewFs(pctx, remote)
	if err != nil && !errors.Is(err, fs.ErrorIsFile) {
		return nil, o.cfg.Name.Explain(rclone.Classify(pctx, err))
	}
	if offline := answers(fs.CopyConfig(ctx, pctx), f); offline != nil {
		return nil, o.cfg.Name.Explain(offline)
	}
	// Overlays keep their remotes in a cache of rclone's: the patient Fs must not get the impatient.
	for _, base := range o.overlay {
		if p, err := fspath.Parse(base); err == nil && p.Name != "" {
			cache.ClearConfig(p.Name)
		}
	}
	return f, nil
}

// open makes the Fs that does the work.
func (o *opening) open(rctx context.Context) (fs.Fs, error) {
	target := o.cfg.Name.Text()
	if info, _, _, _, err := fs.ConfigFs(target); err == nil && len(o.overlay) == 0 && quirks[info.Name].buckets {
		target = withSlash(target)
	}
	f, err := fs.NewFs(rctx, target)
	if errors.Is(err, fs.ErrorIsFile) {
		return nil, fmt.Errorf("%w: %q is a file, not a directory", remote.ErrFatal, o.cfg.Name.Text())
	}
	if err != nil {
		return nil, o.cfg.Name.Explain(rclone.Classify(rctx, err))
	}
	return f, nil
}

// withSlash makes a path of a remote say that it is a directory.
func withSlash(remote string) string {
	p, err := fspath.Parse(remote)
	if err != nil || p.Path == "" || strings.HasSuffix(remote, "/") {
		return remote
	}
	return remote + "/"
}
