package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Accelerator opens a remote of one rclone backend by other means than rclone's interface. It promises
// what Open does: ErrOffline within Config.Wait if nobody answers, no root created. rctx carries rclone's
// configuration (fs.GetConfig) and no deadline; ctx bounds the opening only.
//
// An error that wraps ErrNotAccelerated says that the generic Connection is the right one, and why. It
// must come before the remote is asked, so that an outage is never a reason.
type Accelerator func(ctx, rctx context.Context, d *Details) (remote.Connection, error)

// ErrNotAccelerated means that an Accelerator does not understand how a remote is configured.
var ErrNotAccelerated = errors.New("not accelerated")

// Details are what an Accelerator learns of a remote.
type Details struct {
	Section string         // the remote's name in rclone's configuration, or ":sftp" of one without
	Options *configmap.Map // its options, for configstruct.Set into the backend's own struct
	Root    string         // the path within the remote, as it was written
	Aside   *Aside         // where Backup moves files to; nil: nowhere
	Config  *Config        // what Open was told, zeros filled in

	info *fs.RegInfo
}

var accelerators = map[string]Accelerator{}

// Accelerate registers what opens the remotes of an rclone backend. It is for init functions.
func Accelerate(backend string, a Accelerator) { accelerators[backend] = a }

// Display names the remote for people, without secrets.
func (d *Details) Display() string {
	_, display, err := Canonical(d.Config.Remote)
	if err != nil {
		return d.Section
	}
	return display
}

// Understand returns ErrNotAccelerated if an option of the remote that is not among names has another
// value than rclone's default.
func (d *Details) Understand(rctx context.Context, names ...string) error {
	if fs.GetConfig(rctx).Inplace {
		return fmt.Errorf("%w: option inplace", ErrNotAccelerated)
	}
	for _, name := range slices.Sorted(maps.Keys(d.info.Options.NonDefault(d.Options))) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: option %s", ErrNotAccelerated, name)
		}
	}
	// With these a remote changes rclone's configuration for itself.
	for i := range fs.ConfigOptionsInfo {
		for _, prefix := range []string{"override.", "global."} {
			if name := prefix + fs.ConfigOptionsInfo[i].Name; isSet(d.Options, name) {
				return fmt.Errorf("%w: option %s", ErrNotAccelerated, name)
			}
		}
	}
	return nil
}

func isSet(m configmap.Getter, name string) bool {
	_, ok := m.Get(name)
	return ok
}

// accelerated opens the remote with its backend's Accelerator. It returns nil, nil if there is none, or
// if the generic Connection has to be used; the log says why, once for each remote and reason.
func accelerated(ctx, rctx context.Context, cfg *Config) (remote.Connection, error) {
	info, section, root, options, err := fs.ConfigFs(cfg.Remote)
	if err != nil {
		return nil, explain(cfg.Remote, err)
	}
	open := accelerators[info.Name]
	if open == nil || cfg.Generic {
		return nil, nil
	}
	d := &Details{Section: section, Options: options, Root: root, Config: cfg, info: info}
	var c remote.Connection
	if d.Aside, err = openAside(rctx, d); err == nil {
		c, err = open(ctx, rctx, d)
	}
	if errors.Is(err, ErrNotAccelerated) {
		text := d.Display() + ": " + err.Error()
		if _, said := fellBack.LoadOrStore(text, true); !said {
			cfg.Log.Info("the remote is used through rclone, which is slower", "remote", d.Display(), "why", err)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open remote: %w", explain(cfg.Remote, classify(rctx, err)))
	}
	return c, nil
}

// fellBack holds what was said of remotes that are not accelerated.
var fellBack sync.Map

// What the Connections of other packages share with those of this one.

// Encode translates a path in the source's bytes to rclone's standard form, of which a backend's
// encoding option then makes what the server gets.
func Encode(path string) string { return encode(path) }

// Decode is the reverse of Encode. It fails, with ErrInvalidName, for names that no local file can have.
func Decode(name string) (string, error) { return decode(name) }

// RemoteName is Encode, with rclone's suffix if kind is a symbolic link.
func RemoteName(path string, kind snapshot.Kind) string { return remoteName(path, kind) }

// TrimLink returns the name of the link that name stands for, if it has rclone's suffix for links.
func TrimLink(name string) (string, bool) { return strings.CutSuffix(name, fs.LinkSuffix) }

// Classify wraps err with the engine's class that fits it, or with ctx's error if that is why a call
// ended. An error that has a class keeps it.
func Classify(ctx context.Context, err error) error { return classify(ctx, err) }

// HashStream reads in to its end. The hash is of type want, or XXH3 if this program lacks that.
func HashStream(ctx context.Context, in io.Reader, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, n int64, err error) {
	return hashStream(ctx, in, want)
}

// Throttle waits until n bytes of content may pass under the bandwidth limit. Pieces of at most
// ThrottledRead keep the flow even.
func Throttle(n int) { throttle(n) }

// ThrottledRead is how much of up to n bytes is to be read at once.
func ThrottledRead(n int) int {
	if limited.Load() {
		return min(n, limitedRead)
	}
	return n
}
