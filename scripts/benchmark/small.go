//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// What rclone can leave out, and more at once; at its defaults it looks at the destination first, and at each
// file afterwards. Of 8 and 32 transfers 32 were faster to SFTP; for S3 nothing else was tried.
var (
	tunedSFTP = []string{"--transfers", "32", "--checkers", "32", "--sftp-disable-hashcheck", "--no-check-dest", "--inplace"}
	tunedS3   = []string{"--transfers", "32", "--checkers", "32", "--s3-no-head", "--s3-no-check-bucket", "--no-check-dest"}
)

const (
	manySmall = 10_000
	fewSmall  = 1_000 // where rclone would take the time of a meal for more
	oneWay    = 20 * time.Millisecond
)

// smallAims are how many times as fast as its peers snapsync has to be; slower is how many times the
// time of rsync it may take. 0: that peer does not run.
type smallAims struct{ byDefault, tuned, slower float64 }

func smallSFTP(b *bench) error {
	s, err := b.sftpSide()
	if err != nil {
		return err
	}
	return b.small(s, manySmall, "", tunedSFTP, smallAims{10, 3, 1.5})
}

func smallSFTPFar(b *bench) error {
	s, err := b.sftpSide()
	if err != nil {
		return err
	}
	return b.smallFar(s, tunedSFTP, smallAims{byDefault: 40, slower: 4})
}

func smallS3(b *bench) error {
	s, err := b.s3Side()
	if err != nil {
		return err
	}
	return b.small(s, manySmall, "", tunedS3, smallAims{byDefault: 1.5, tuned: 1.2})
}

func smallS3Far(b *bench) error {
	s, err := b.s3Side()
	if err != nil {
		return err
	}
	return b.smallFar(s, tunedS3, smallAims{byDefault: 4})
}

func (b *bench) smallFar(s side, tuned []string, aims smallAims) error {
	far, hangUp, err := b.distant(s, oneWay)
	if err != nil {
		return err
	}
	defer hangUp()
	return b.small(far, fewSmall, fmt.Sprintf(", %d ms each way", oneWay.Milliseconds()), tuned, aims)
}

// small is the first run with small files: all programs at their defaults, and rclone at its best.
func (b *bench) small(s side, full int, where string, tuned []string, aims smallAims) error {
	n, source := b.n(full), b.at("small")
	if err := plant(source, n, filesPerDir, smallFile); err != nil {
		return err
	}
	names := []string{"ours", "default", "tuned", "rsync"}
	steps := []step{b.fresh(s, names[0], func(remote string) (sample, error) { return b.ours(source, remote) }),
		b.fresh(s, names[1], func(remote string) (sample, error) { return b.do(b.rclone, "copy", "-q", source, remote) }),
		b.fresh(s, names[2], func(remote string) (sample, error) {
			return b.do(b.rclone, append([]string{"copy", "-q", source, remote}, tuned...)...)
		})}
	if aims.slower > 0 {
		steps = append(steps, b.fresh(s, names[3], func(string) (sample, error) { return b.rsync(s, source, s.path(names[3])) }))
	}
	m, err := b.inTurns(b.runs, steps...)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("first run, %s files of %d bytes, %s%s", thousands(n), smallFile, s.name, where)
	b.table.faster(what, m[0].wall, "rclone copy", m[1].wall, aims.byDefault)
	if aims.tuned > 0 {
		b.table.faster(what, m[0].wall, "rclone copy, tuned", m[2].wall, aims.tuned)
	}
	if aims.slower > 0 {
		b.table.atMost(what, m[0].wall, "rsync -a -e ssh", m[3].wall, aims.slower)
	}
	errs := []error{os.RemoveAll(source), os.RemoveAll(b.at("state"))}
	for _, name := range names {
		errs = append(errs, os.RemoveAll(s.path(name)))
	}
	return errors.Join(errs...)
}

// fresh is a step to a destination where there is nothing.
func (b *bench) fresh(s side, name string, run func(remote string) (sample, error)) step {
	return step{
		func(int) error { return errors.Join(os.RemoveAll(s.path(name)), os.RemoveAll(b.at("state"))) },
		func() (sample, error) { return run(s.remote(name)) },
	}
}

// ours runs snapsync at its defaults.
func (b *bench) ours(source, remote string, flags ...string) (sample, error) {
	return b.do(b.snapsync, b.oursArgs(source, remote, flags...)...)
}

func (b *bench) oursArgs(source, remote string, flags ...string) []string {
	return append([]string{"run", "--once", "-q", "--complete-sync", "--max-delete", "100%", source, "--remote", remote}, flags...)
}

func (b *bench) rsync(s side, source, to string) (sample, error) {
	ssh := fmt.Sprintf("ssh -p %s -i %s -o UserKnownHostsFile=%s -o BatchMode=yes -F none",
		s.port, b.at("servers", "conf", "user"), b.at("servers", "conf", "known_hosts"))
	return b.do("rsync", "-a", "-e", ssh, source+"/", "127.0.0.1:"+to+"/")
}
