package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/remote"
)

// silent is a set-up whose remote takes paths of one key for one, and does not say so.
func silent(t *testing.T, key func(string) string) *rig.Rig {
	t.Helper()
	caps := rig.FullCaps
	caps.NamesUnknown = true
	r := rig.New(t, caps)
	r.Remote.Key = key
	r.Write("Probe", "content")
	if _, err := os.Stat(filepath.Join(r.Source, "pROBE")); err == nil {
		t.Skip("case: the source ignores it as well")
	}
	r.Remove("Probe")
	return r
}

// folds are remotes of which no protocol tells what they take for one, with two names that are.
var folds = map[string]struct {
	key           func(string) string
	first, second string
}{
	"case": {strings.ToLower, "README", "readme"},
	"form": {norm.NFC.String, "cafe\u0301", "caf\u00e9"},
	"ends": {func(path string) string { return strings.TrimSuffix(strings.ReplaceAll(path+"/", "./", "/"), "/") }, "a", "a."},
}

// What somebody else has put there under another spelling stays until a person lets it go, and then goes before the send.
func TestSilentFoldAdopted(t *testing.T) {
	for name, fold := range folds {
		t.Run(name, func(t *testing.T) {
			r := silent(t, fold.key)
			r.Cfg.MaxDelete = guard.MaxDelete{}
			r.Write(fold.second, "content")
			r.Remote.Put(fold.first, "content", time.Unix(1_600_000_000, 0))
			if sum := r.Run(); sum.Held != 1 || len(r.Remote.Tree()) != 1 {
				t.Fatalf("%+v\n%s", sum, r.Remote.Log())
			}
			r.Approve()
			r.Run()
			r.Same()
			r.Quiet()
		})
	}
}

// Of two names in the source one is sent, and the other fails with its reason; whichever goes, the other one is there.
func TestSilentFoldTwins(t *testing.T) {
	for name, fold := range folds {
		for _, goes := range []string{fold.first, fold.second} {
			t.Run(name+" "+goes, func(t *testing.T) {
				r := silent(t, fold.key)
				r.Write(fold.first, "the first")
				r.Write(fold.second, "the second, longer")
				sum := r.Run()
				if sum.Sent != 1 || sum.Failed != 1 || !errors.Is(sum.Failures[0].Err, remote.ErrInvalidName) {
					t.Fatalf("%+v\n%s", sum, r.Remote.Log())
				}
				if tree := r.Remote.Tree(); len(tree) != 1 || tree[0].Content != "the first" {
					t.Fatalf("the remote has %+v", tree)
				}
				r.Remove(goes)
				r.Run()
				r.Same()
				r.Quiet()
			})
		}
	}
}

// A name that is replaced by its other spelling, with other content, is there afterwards.
func TestSilentFoldRename(t *testing.T) {
	for name, fold := range folds {
		t.Run(name, func(t *testing.T) {
			r := silent(t, fold.key)
			r.Write(fold.first, "the old text")
			r.Run()
			r.Remove(fold.first)
			r.Write(fold.second, "the new text, longer")
			r.Run()
			r.Same()
			r.Rename(fold.second, fold.first)
			r.Run()
			r.Same()
			r.Quiet()
		})
	}
}

// A base that was made before anybody asked, and that has both of two names, is compared with what is there.
func TestSilentFoldFoundLater(t *testing.T) {
	for name, fold := range folds {
		t.Run(name, func(t *testing.T) {
			r := silent(t, fold.key)
			r.Remote.Caps.NamesUnknown = false
			r.Write(fold.first, "the first")
			r.Write(fold.second, "the second, longer")
			if sum := r.Run(); sum.Sent != 2 {
				t.Fatalf("%+v", sum)
			}
			r.Remote.Caps.NamesUnknown = true
			r.Write("other", "is new")
			if sum := r.Run(); sum.Failed != 1 {
				t.Fatalf("%+v\n%s", sum, r.Remote.Log())
			}
			r.Remove(fold.first)
			r.Run()
			r.Same()
			r.Quiet()
		})
	}
}

// The remote is asked once, and what it was asked with is gone, also where the run was cut off meanwhile. One that cannot be
// asked is taken for one that folds.
func TestNamesAreAskedOnce(t *testing.T) {
	r := silent(t, nil)
	r.Write("README", "the first")
	r.Write("readme", "the second, longer")
	for n := 1; n <= 20; n++ {
		r.Remote.FailNth(n, enginetest.Fault{When: enginetest.After, Err: remote.ErrOffline})
		if _, err := r.Try(); err == nil {
			break
		}
		r.Remote.Fail = nil
	}
	r.Remote.Fail = nil
	r.Run()
	r.Same()
	before := r.Remote.Count("send")
	r.Write("another", "content")
	r.Run()
	if n := r.Remote.Count("send") - before; n != 1 {
		t.Errorf("%d sends for one file:\n%s", n, r.Remote.Log())
	}
	r.Cfg.Options = "others"
	r.Write("another", "other content")
	r.Run()
	if n := r.Remote.Count("send") - before; n < 4 {
		t.Errorf("not asked anew with other options:\n%s", r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// An answer that is lost while the remote is asked is no answer.
func TestNamesAnswerLost(t *testing.T) {
	for _, key := range []func(string) string{nil, strings.ToLower} {
		for n := 1; n <= 16; n++ {
			for _, when := range []enginetest.When{enginetest.Before, enginetest.After} {
				r := silent(t, key)
				r.Cfg.Retries = 1
				r.Write("README", "the first")
				r.Write("readme", "the second, longer")
				r.Remote.FailNth(n, enginetest.Fault{When: when, Err: remote.ErrTemporary})
				_, _ = r.Try()
				r.Remote.Fail = nil
				sum := r.Run()
				if want := map[bool]int64{true: 0, false: 1}[key == nil]; sum.Failed != want {
					t.Fatalf("operation %d fails, %v: %+v\n%s", n, when, sum, r.Remote.Log())
				}
			}
		}
	}
}

func TestNamesCannotBeAsked(t *testing.T) {
	r := silent(t, strings.ToLower)
	r.Write("README", "the first")
	r.Write("readme", "the second, longer")
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name == "send" && !strings.EqualFold(op.Path, "readme") {
			return &enginetest.Fault{Err: remote.ErrPermission}
		}
		return nil
	}
	if sum := r.Run(); sum.Sent != 1 || sum.Failed != 1 {
		t.Fatalf("%+v\n%s", sum, r.Remote.Log())
	}
	r.Remove("README")
	r.Run()
	r.Same()
}

// A file and a directory that are one name to the remote: the directory that comes makes the file go first, whether that is
// retained or was to go, and whatever became of the run meanwhile.
func TestFoldedFileBecomesDirectory(t *testing.T) {
	for _, mirror := range []bool{true, false} {
		for cut := range 6 {
			t.Run(fmt.Sprintf("mirror %v, cut at %d", mirror, cut), func(t *testing.T) {
				r := silent(t, strings.ToLower)
				r.Cfg.CompleteSync = mirror
				r.Write("Notes", "a file")
				r.Write("other", "content")
				r.Run()
				r.Remove("Notes")
				if !mirror && cut%2 == 0 {
					r.Run() // it is retained
				}
				r.Write("notes/deep/f", "in a directory")
				if cut > 0 {
					r.Remote.FailNth(cut, enginetest.Fault{Err: remote.ErrOffline})
					_, _ = r.Try()
					r.Remote.Fail = nil
				}
				if sum := r.Run(); sum.Failed > 0 {
					t.Fatalf("%+v\n%s", sum, r.Remote.Log())
				}
				r.Same()
				r.Quiet()
			})
		}
	}
}

// A file that moves into a directory of its own name, of which the base knows already.
func TestFoldedFileMovesIntoItsDirectory(t *testing.T) {
	for cut := range 6 {
		r := silent(t, strings.ToLower)
		r.Write("Notes", "a file")
		r.Write("other", "content")
		r.Run()
		r.Rename("Notes", "tmp")
		r.Mkdir("notes")
		r.Rename("tmp", "notes/f")
		r.Remote.FailNth(cut, enginetest.Fault{Err: remote.ErrOffline})
		_, _ = r.Try()
		r.Remote.Fail = nil
		if sum := r.Run(); sum.Failed > 0 {
			t.Fatalf("cut at %d: %+v\n%s", cut, sum, r.Remote.Log())
		}
		r.Same()
		r.Quiet()
	}
}

// A retained directory in the place of a file waits for a person, who is told what helps.
func TestFoldedDirectoryIsRetained(t *testing.T) {
	r := silent(t, strings.ToLower)
	r.Cfg.CompleteSync = false
	r.Write("Notes/f", "in a directory")
	r.Run()
	r.Remove("Notes")
	r.Run()
	r.Write("notes", "a file")
	sum := r.Run()
	if sum.Failed != 1 || !strings.Contains(sum.Failures[0].Err.Error(), "--complete-sync") {
		t.Fatalf("%+v", sum)
	}
	r.Cfg.CompleteSync = true
	if sum := r.Run(); sum.Failed > 0 {
		t.Fatalf("%+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}
