package rig

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// files lists the source, sorted: path, content and, where the remote keeps one, mtime. RemoteFiles so lists the remote.
func (r *Rig) files() (out []string) {
	r.T.Helper()
	Must(r.T, filepath.WalkDir(r.Source, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		path, _ := filepath.Rel(r.Source, full)
		out = append(out, r.line(path, string(content), info.ModTime()))
		return nil
	}))
	return Sorted(out)
}

func (r *Rig) RemoteFiles() (out []string) {
	for _, n := range r.Remote.Tree() {
		if n.Kind != snapshot.Dir {
			out = append(out, r.line(n.Path, n.Content, n.Mtime))
		}
	}
	return Sorted(out)
}

// Same fails the test unless the remote is true to the source and the journal to the remote.
func (r *Rig) Same() {
	r.T.Helper()
	if diff := cmp.Diff(r.files(), r.RemoteFiles()); diff != "" {
		r.T.Errorf("source and remote differ (-source +remote):\n%s", diff)
	}
	r.With(func(e *engine.Engine, j *journal.Journal) {
		sound(r.T, j)
		report, err := e.Verify(context.Background(), engine.VerifyOptions{})
		Must(r.T, err)
		if !report.Clean() {
			r.T.Errorf("base and remote differ: %+v", *report)
		}
	})
}

// Quiet fails the test unless a further run has nothing to do and does not ask the remote.
func (r *Rig) Quiet() {
	r.T.Helper()
	before := r.Remote.Ops()
	if sum := r.Run(); sum.Sent+sum.Moved+sum.Deleted+sum.Copied+sum.Touched+sum.Failed != 0 {
		r.T.Errorf("a second run still does something: %+v", sum)
	}
	if asked := r.Remote.Ops() - before; asked != 0 {
		r.T.Errorf("a run over an unchanged tree asked the remote %d times", asked)
	}
}

// line shows a file as far as this remote can keep it.
func (r *Rig) line(path, content string, mtime time.Time) string {
	if !r.Remote.Caps.SetModTime {
		return fmt.Sprintf("%s %q", path, content)
	}
	return fmt.Sprintf("%s %q %d", path, content, mtime.Truncate(r.Remote.Caps.Precision).UnixNano())
}

func Sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

// Holds fails the test unless the remote has all that the source has, and the journal is true to it.
func (r *Rig) Holds() {
	r.T.Helper()
	have := r.RemoteFiles()
	for _, line := range r.files() {
		if !slices.Contains(have, line) {
			r.T.Errorf("the remote lacks %s", line)
		}
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		sound(r.T, j)
	})
	if report := r.Verify(engine.VerifyOptions{}); !report.Clean() {
		r.T.Errorf("base and remote differ: %+v", report)
	}
}

// sound fails the test unless the journal is in order.
func sound(t testing.TB, j *journal.Journal) {
	t.Helper()
	broken, err := j.Check(context.Background())
	Must(t, err)
	if len(broken) > 0 {
		t.Errorf("journal: %s", strings.Join(broken, "; "))
	}
}
