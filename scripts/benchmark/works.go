//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	filesPerDir   = 20
	smallFile     = 16      // bytes
	someJournal   = 1 << 17 // bytes: what a run may write that changed nothing
	oneOperation  = 1
	fullBigFile   = 4e9
	filesOfRename = 10_000
	fileOfRename  = 16_000 // bytes, where the files are read
)

// first is a first run, and then runs that find nothing changed.
func first(b *bench) error {
	n := b.n(1_000_000)
	source, ours, theirs := b.at("first"), b.at("first-ours"), b.at("first-theirs")
	if err := plant(source, n, filesPerDir, smallFile); err != nil {
		return err
	}
	m, err := b.inTurns((b.runs+1)/2,
		step{func(int) error { return b.forget(ours) }, func() (sample, error) { return b.sync(source, ours) }},
		step{func(int) error { return os.RemoveAll(theirs) }, func() (sample, error) { return b.rcloneDo("copy", source, theirs) }})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("first run, %s files to a local directory", thousands(n))
	b.table.faster(what, m[0].wall, "rclone copy", m[1].wall, 1)
	b.table.memory(what+": memory", m[0].rss, "rclone copy", m[1].rss, 300)
	if err := unchanged(b, n, source, ours, theirs); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(source), b.forget(ours), os.RemoveAll(theirs))
}

func unchanged(b *bench, n int, source, ours, theirs string) error {
	m, err := b.inTurns(b.runs,
		step{nil, func() (sample, error) { return b.do("find", source, "-printf", `%s %T@\n`) }},
		step{nil, func() (sample, error) { return b.sync(source, ours) }},
		step{nil, func() (sample, error) { return b.rcloneDo("sync", source, theirs) }})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("nothing changed, %s files in %s directories", thousands(n), thousands(n/filesPerDir))
	b.table.atMost(what, m[1].wall, "`find -printf`", m[0].wall, 0.8)
	b.table.faster(what+", local", m[1].wall, "rclone sync", m[2].wall, 5)
	b.table.memory(what+": memory", m[1].rss, "rclone sync", m[2].rss, 150)

	calls, err := b.trace([]string{"--seccomp-bpf", "-e", "trace=connect,open,openat,pwrite64"}, b.syncArgs(source, ours)...)
	if err != nil {
		return err
	}
	b.table.count(what+": looks at the remote", matching(calls, `(open|openat)\(.*`+ours+`|connect\(.*AF_INET`), "opens and connects", "", 0)
	b.table.count(what+": written to the journal", returned(calls, `pwrite64`), "bytes", "", someJournal)
	return nil
}

// servers is the same on servers, where rclone has to list what snapsync remembers.
func servers(b *bench) error {
	if err := b.startServers(); err != nil {
		return err
	}
	n := b.n(50_000)
	source := b.at("served")
	if err := plant(source, n, filesPerDir, smallFile); err != nil {
		return err
	}
	for _, r := range []struct {
		name, remote string
		limit        float64
	}{
		{"SFTP", "tsftp:" + b.at("servers", "data", "sftp", "served"), 10},
		{"S3", "ts3:snapsync/served", 50},
	} {
		if err := served(b, n, source, r.name, r.remote, r.limit); err != nil {
			return err
		}
	}
	return os.RemoveAll(source)
}

func served(b *bench, n int, source, name, remote string, limit float64) error {
	if _, err := b.sync(source, remote); err != nil {
		return err
	}
	m, err := b.inTurns(b.runs,
		step{nil, func() (sample, error) { return b.sync(source, remote) }},
		step{nil, func() (sample, error) { return b.rcloneDo("sync", source, remote) }})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("nothing changed, %s files, %s", thousands(n), name)
	b.table.faster(what, m[0].wall, "rclone sync", m[1].wall, limit)
	marks := b.marks()
	if _, err := b.sync(source, remote); err != nil {
		return err
	}
	seen, err := b.since(marks)
	if err != nil {
		return err
	}
	b.table.count(what+": lines in the server's logs", int64(len(seen)), "lines", "", 0)
	return nil
}

// changed is a few changes among many files. Their transfer alone is what rclone needs when it is
// told which files they are.
func changed(b *bench) error {
	n, edits := b.n(200_000), b.n(1_000)
	source, ours, theirs, alone := b.at("changed"), b.at("changed-ours"), b.at("changed-theirs"), b.at("changed-alone")
	if err := plant(source, n, filesPerDir, smallFile); err != nil {
		return err
	}
	if _, err := b.sync(source, ours); err != nil {
		return err
	}
	if _, err := b.rcloneDo("sync", source, theirs); err != nil {
		return err
	}
	list := b.at("changed.txt")
	edited := -1
	doEdit := func(round int) error {
		if edited == round {
			return os.RemoveAll(alone)
		}
		edited = round
		names, err := edit(source, edits, n/filesPerDir, strings.Repeat("x", smallFile+round))
		return errors.Join(err, os.RemoveAll(alone), os.WriteFile(list, []byte(strings.Join(names, "\n")), 0o644))
	}
	m, err := b.inTurns(b.runs,
		step{doEdit, func() (sample, error) { return b.sync(source, ours) }},
		step{nil, func() (sample, error) { return b.sync(source, ours) }},
		step{doEdit, func() (sample, error) { return b.rcloneDo("sync", source, theirs) }},
		step{doEdit, func() (sample, error) {
			return b.rcloneDo("copy", source, alone, "--files-from-raw", list, "--no-traverse")
		}})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s changed among %s files, local", thousands(edits), thousands(n))
	b.table.atMost(what, m[0].wall, "an unchanged pass and `rclone copy` of just those", m[1].wall+m[3].wall, 1)
	b.table.faster(what, m[0].wall, "rclone sync", m[2].wall, 1)
	return errors.Join(os.RemoveAll(source), b.forget(ours), os.RemoveAll(theirs), os.RemoveAll(alone))
}

// big is one large file, which must be read only once.
func big(b *bench) error {
	size := int64(fullBigFile * b.scale)
	source, ours, theirs := b.at("big"), b.at("big-ours"), b.at("big-theirs")
	file := filepath.Join(source, "disk.img")
	if err := plantBig(file, size); err != nil {
		return err
	}
	m, err := b.inTurns(b.runs,
		step{func(int) error { return b.forget(ours) }, func() (sample, error) { return b.sync(source, ours) }},
		step{func(int) error { return os.RemoveAll(theirs) }, func() (sample, error) { return b.rcloneDo("copy", source, theirs) }})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("one file of %s MB to a local directory", thousands(int(size/1e6)))
	b.table.faster(what, m[0].wall, "rclone copy", m[1].wall, 1)
	if err := b.forget(ours); err != nil {
		return err
	}
	calls, err := b.trace([]string{"-P", file, "-e", "trace=read,pread64,readv,preadv,copy_file_range,sendfile"}, b.syncArgs(source, ours)...)
	if err != nil {
		return err
	}
	b.table.count(what+": read of the source", returned(calls, ``), "bytes", fmt.Sprintf("its size: %d", size), size)
	return errors.Join(os.RemoveAll(source), b.forget(ours), os.RemoveAll(theirs))
}

// rename is a directory under a new name: one operation, and hardly more time than the scan.
func rename(b *bench) error {
	if err := b.startServers(); err != nil {
		return err
	}
	source := b.at("rename")
	if err := plant(filepath.Join(source, "start"), b.n(filesOfRename), filesPerDir, smallFile); err != nil {
		return err
	}
	if err := renamed(b, source, "local", b.at("renamed-"), "--track-renames"); err != nil {
		return err
	}
	// By default rclone compares hashes, and over SFTP starts a shell for each file to have one: what it takes then
	// says more about the login shell than about either program.
	over := "tsftp:" + b.at("servers", "data", "sftp", "renamed-")
	if err := renamed(b, source, "SFTP", over, "--track-renames", "--track-renames-strategy", "modtime,leaf"); err != nil {
		return err
	}
	return os.RemoveAll(source)
}

func renamed(b *bench, source, name, remote string, flags ...string) error {
	ours, theirs := remote+"ours", remote+"theirs"
	if _, err := b.sync(source, ours); err != nil {
		return err
	}
	if _, err := b.rcloneDo("sync", source, theirs); err != nil {
		return err
	}
	to := func(round int) error { return renameOnly(source, fmt.Sprintf("%s-%d", name, round)) }
	m, err := b.inTurns(b.runs,
		step{to, func() (sample, error) { return b.sync(source, ours) }},
		step{to, func() (sample, error) { return b.rcloneDo("sync", source, theirs, flags...) }})
	if err != nil {
		return err
	}
	still, err := b.inTurns(b.runs, step{nil, func() (sample, error) { return b.sync(source, ours) }})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("a directory of %s files renamed, %s", thousands(b.n(filesOfRename)), name)
	b.table.faster(what, m[0].wall, "rclone sync "+strings.Join(flags, " "), m[1].wall, 1)
	b.table.atMost(what+": beyond the scan", m[0].wall-still[0].wall, "one second:", time.Second, 1)
	if err := to(-1); err != nil {
		return err
	}
	return b.countChanges(what, source, ours)
}

// renameFiles gives each file another name: all are read, to be believed. Empty ones are moved alike and have nothing to read.
func renameFiles(b *bench) error {
	if err := b.startServers(); err != nil {
		return err
	}
	n := b.n(filesOfRename)
	var steps []step
	for _, size := range []int{fileOfRename, 0} {
		name := fmt.Sprint("rename-files-", size)
		source, remote := b.at(name), "tsftp:"+b.at("servers", "data", "sftp", name)
		if err := plant(source, n, filesPerDir, size); err != nil {
			return err
		}
		if _, err := b.sync(source, remote); err != nil {
			return err
		}
		defer os.RemoveAll(source)
		steps = append(steps, step{
			func(round int) error { return renameEach(source, fmt.Sprintf(".%d", round)) },
			func() (sample, error) { return b.sync(source, remote) },
		})
	}
	m, err := b.inTurns(b.runs, steps...)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s files of %d kB renamed one by one, SFTP", thousands(n), fileOfRename/1000)
	b.table.atMost(what, m[0].wall, "as many empty ones, which are not read:", m[1].wall, 1.3)
	return nil
}

// renameEach gives each file beneath dir the extension.
func renameEach(dir, extension string) error {
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Rename(name, strings.TrimSuffix(name, filepath.Ext(name))+extension)
	})
}

// countChanges counts what one run changes on the remote: by the log of the SFTP server, or, where
// the remote is a directory, by the system calls on it.
func (b *bench) countChanges(what, source, remote string) error {
	marks := b.marks()
	calls, err := b.trace([]string{"--seccomp-bpf", "-e", "trace=rename,renameat,renameat2,mkdirat,unlinkat,linkat,openat"}, b.syncArgs(source, remote)...)
	if err != nil {
		return err
	}
	seen, err := b.since(marks)
	if err != nil {
		return err
	}
	n := matching(seen, `rename old|mkdir name|rmdir name|remove name|flags WRITE`) +
		matching(calls, `(rename|mkdir|unlink|link)\w*\(.*`+remote+`|openat\(.*`+remote+`.*O_CREAT`)
	b.table.count(what+": changes on the remote", n, "operations", "", oneOperation)
	return nil
}

// renameOnly gives the only directory in dir the name.
func renameOnly(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) != 1 {
		return fmt.Errorf("%s: %d entries instead of one", dir, len(entries))
	}
	if entries[0].Name() == name {
		return nil
	}
	return os.Rename(filepath.Join(dir, entries[0].Name()), filepath.Join(dir, name))
}

// forget removes a destination of ours and all that is remembered about it.
func (b *bench) forget(remote string) error {
	return errors.Join(os.RemoveAll(remote), os.RemoveAll(b.at("state")))
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
