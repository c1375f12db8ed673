package settings

import (
	"context"
	"os"
	"strings"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// EngineConfig returns what the flags mean for the engine. The journal is left out, so that flags can be refused before anything
// is created.
func (r *Resolver) EngineConfig(m *mapping.Mapping, f *SyncFlags, t *TransferFlags) (engine.Config, error) {
	if err := r.StartRclone(); err != nil {
		return engine.Config{}, err
	}
	target, err := r.RemoteConfig(m, f, t.Bwlimit)
	if err != nil {
		return engine.Config{}, err
	}
	target.UploadAge = t.UploadAge
	if _, given := target.Rclone.Options["metadata_set"]; !f.Metadata && (given || os.Getenv("RCLONE_METADATA_SET") != "") {
		return engine.Config{}, exit.Usage("add --metadata", "rclone option %q needs --metadata", "metadata-set")
	}
	if err := rclone.CheckBandwidth(target.BwLimit); err != nil {
		return engine.Config{}, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: bandwidthHint}
	}
	filter, err := f.Mirrored()
	if err != nil {
		return engine.Config{}, err
	}
	if err := r.StateOutside(m.Source, filter); err != nil {
		return engine.Config{}, err
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // not every system tells
	return engine.Config{
		Scan: snapshot.Config{
			Root:          m.Source,
			Filter:        r.lessOwn(m.Source, filter),
			Links:         f.linkMode(),
			OneFileSystem: f.OneFileSystem,
			Checksum:      f.Checksum,
			NewHash:       rclone.NewHash,
		},
		Connect: func(_ context.Context, uploads remote.Uploads) (remote.Connection, error) {
			remote := target
			remote.Uploads = uploads
			return backends.Open(r.Ctx, remote) // not the caller's context: the remote outlives the call
		},
		CompleteSync: f.CompleteSync,
		EmptyDirs:    f.CreateEmptySrcDirs,
		Metadata:     f.Metadata,
		Boot:         strings.TrimSpace(string(boot)),
		Options:      digestOptions(&target.Rclone),
		Log:          r.Log,
	}, nil
}

// tune adds what only matters to a run.
func tune(c *engine.Config, g *GuardFlags, t *TransferFlags) (err error) {
	if c.MaxDelete, err = g.limit(); err != nil {
		return err
	}
	if err := t.attempts(); err != nil {
		return err
	}
	c.Approve, c.Retries = g.Approve, t.Retries
	c.Transfers, err = t.parallel()
	return err
}

// Prepare returns the mapping that a spec means, and what its flags mean for the engine but for the journal. It creates nothing.
func (r *Resolver) Prepare(s *Spec) (*mapping.Mapping, engine.Config, error) {
	if _, err := s.wrongTime(); err != nil {
		return nil, engine.Config{}, err
	}
	m, err := r.MappingFor(s.Src, &s.Target)
	if err != nil {
		return nil, engine.Config{}, err
	}
	if err := r.CheckPlaces(m, &s.SyncFlags); err != nil {
		return nil, engine.Config{}, err
	}
	config, err := r.EngineConfig(m, &s.SyncFlags, &s.TransferFlags)
	if err != nil {
		return nil, engine.Config{}, err
	}
	if err := tune(&config, &s.GuardFlags, &s.TransferFlags); err != nil {
		return nil, engine.Config{}, err
	}
	r.describe(m, s)
	return m, config, nil
}
