package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// unreadable stands before a remote, and lets nobody read one file of the source.
type unreadable struct {
	remote.Connection
	path string
}

func (c *unreadable) Send(ctx context.Context, path string, src remote.Source) error {
	if path == c.path {
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	return c.Connection.Send(ctx, path, src)
}

// A new file that cannot be read holds the deletes of those that it may be under another name, and of no others of its
// size; what waits names it. A file that failed for another reason holds all of them.
func TestUnreadableFileHoldsOnlyWhatItMayBe(t *testing.T) {
	when := time.Now().Add(-time.Hour)
	for name, story := range map[string]struct {
		path string
		edit func(*rig.Rig)
		left []string
	}{
		"another": {"n", func(r *rig.Rig) { r.Write("n", "unread"); r.Stamp("n", when.Add(time.Minute)) }, nil},
		"mtime":   {"n", func(r *rig.Rig) { r.Write("n", "unread"); r.Stamp("n", when) }, []string{"same/mtime"}},
		"name":    {"k", func(r *rig.Rig) { r.Write("k", "unread"); r.Stamp("k", when.Add(time.Minute)) }, []string{"d/k"}},
		"inode": {"n", func(r *rig.Rig) {
			r.Rename("b", "n")
			r.Stamp("n", when.Add(time.Minute))
		}, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, remote.Caps{SetModTime: true, BucketBased: true, Precision: time.Nanosecond})
			r.Cfg.Retries = 1
			r.Wrap = func(c remote.Connection) remote.Connection { return &unreadable{c, story.path} }
			// What the remote holds is adopted: nobody has read it, and so nobody reads what is new.
			for i, path := range []string{"a", "b", "d/k", "same/mtime", "stays"} {
				at := when.Add(-time.Duration(i+1) * time.Hour)
				if path == "same/mtime" {
					at = when
				}
				r.Write(path, strings.Repeat(path[:1], 6))
				r.Stamp(path, at)
				r.Remote.Put(path, strings.Repeat(path[:1], 6), at)
			}
			r.Run()
			story.edit(r)
			for _, path := range []string{"a", "b", "d", "same"} {
				r.Remove(path)
			}
			for run := range 2 {
				sum := r.Run()
				var waits, others []string
				for _, f := range sum.Failures {
					switch text := f.Err.Error(); {
					case f.Path == story.path && errors.Is(f.Err, fs.ErrPermission):
					case strings.Contains(text, strconv.Quote(story.path)):
						waits = append(waits, f.Path)
					default:
						others = append(others, f.Path+": "+text)
					}
				}
				slices.Sort(waits)
				if !slices.Equal(story.left, waits) || len(others) > 0 || sum.Failed != int64(1+len(story.left)) {
					t.Errorf("run %d: want to wait for it %v, got %v, others %v", run, story.left, waits, others)
				}
				var there []string
				for _, line := range r.RemoteFiles() {
					path, _, _ := strings.Cut(line, " ")
					there = append(there, path)
				}
				if diff := gocmp.Diff(rig.Sorted(append([]string{"stays"}, story.left...)), there); diff != "" {
					t.Errorf("run %d: the remote holds (-want +got):\n%s", run, diff)
				}
			}
			r.Wrap = nil
			r.Run()
			r.Same()
		})
	}
}
