//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const fullHeavyFile = 2e9

// heavy is one large file to each server, beside rclone with the settings that may be its best: which one
// is, differs between machines.
func heavy(b *bench) error {
	sftp, err := b.sftpSide()
	if err != nil {
		return err
	}
	s3, err := b.s3Side()
	if err != nil {
		return err
	}
	size := int64(fullHeavyFile * b.scale)
	source := b.at("heavy")
	if err := plantBig(filepath.Join(source, "disk.img"), size); err != nil {
		return err
	}
	for _, r := range []struct {
		side
		settings [][]string
	}{
		{sftp, [][]string{
			{"--sftp-disable-hashcheck", "--no-check-dest", "--inplace", "--sftp-chunk-size", "255k"},
			{"--sftp-disable-hashcheck", "--no-check-dest", "--inplace", "--sftp-chunk-size", "255k", "--multi-thread-streams", "8"},
			{"--sftp-disable-hashcheck", "--no-check-dest", "--inplace", "--sftp-chunk-size", "255k", "--multi-thread-streams", "0"},
		}},
		{s3, [][]string{
			{"--s3-no-head", "--no-check-dest", "--s3-disable-checksum"},
			{"--s3-no-head", "--no-check-dest", "--s3-disable-checksum", "--s3-upload-concurrency", "8", "--s3-chunk-size", "16M"},
			{"--s3-no-head", "--no-check-dest", "--s3-disable-checksum", "--s3-upload-concurrency", "4", "--s3-chunk-size", "64M"},
		}},
	} {
		if err := b.heavyTo(r.side, source, size, r.settings); err != nil {
			return err
		}
	}
	return os.RemoveAll(source)
}

func (b *bench) heavyTo(s side, source string, size int64, settings [][]string) error {
	steps := []step{b.fresh(s, "ours", func(remote string) (sample, error) { return b.ours(source, remote) })}
	for _, flags := range settings {
		steps = append(steps, b.fresh(s, "theirs", func(remote string) (sample, error) {
			return b.do(b.rclone, append([]string{"copy", "-q", source, remote}, flags...)...)
		}))
	}
	m, err := b.inTurns(b.runs, steps...)
	if err != nil {
		return err
	}
	best := 1
	for i := range m[1:] {
		b.say("rclone with %v: %s", settings[i], seconds(m[i+1].wall))
		if m[i+1].wall < m[best].wall {
			best = i + 1
		}
	}
	what := fmt.Sprintf("one file of %s MB, %s", thousands(int(size/1e6)), s.name)
	b.table.faster(what, m[0].wall, "the best of rclone copy, tuned,", m[best].wall, 1)
	b.table.memory(what+": memory", m[0].rss, "rclone copy, tuned", m[best].rss, 300)
	return errors.Join(os.RemoveAll(s.path("ours")), os.RemoveAll(s.path("theirs")), os.RemoveAll(b.at("state")))
}
