//go:build unix

package snapshot

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestScanReports(t *testing.T) {
	setup := []string{"a/b/x", "a/b/y", "a/z", "c", "d/", "e/f/g/h"}
	for _, test := range []struct {
		name string
		edit func(r *rig)
		want []string
	}{
		{"nothing for an unchanged tree", func(*rig) {}, nil},
		{"an added file", func(r *rig) { r.write("a/b/xx") }, []string{"+a/b/xx"}},
		{"an added tree", func(r *rig) { r.write("a/new/deep/f") }, []string{"+a/new/", "+a/new/deep/", "+a/new/deep/f"}},
		{"an edited file", func(r *rig) { r.write("c=other") }, []string{"~c"}},
		{"an edit that keeps size and mtime", func(r *rig) {
			fi, err := os.Stat(r.at("c"))
			r.must(err)
			r.write("c=C")
			r.must(os.Chtimes(r.at("c"), fi.ModTime(), fi.ModTime()))
		}, []string{"~c"}},
		{"a changed mode", func(r *rig) { r.must(os.Chmod(r.at("c"), 0o755)) }, []string{"~c"}},
		{"a mode that differs where nothing else does", func(r *rig) {
			e := r.base["c"]
			e.Mode = 0o600
			r.base["c"] = e
		}, []string{"~c"}},
		{"no changed mode of a directory", func(r *rig) { r.must(os.Chmod(r.at("d"), 0o700)) }, nil},
		{"a removed file", func(r *rig) { r.remove("a/b/x") }, []string{"-a/b/x"}},
		{"a removed tree", func(r *rig) { r.remove("a") }, []string{"-a/", "-a/b/", "-a/b/x", "-a/b/y", "-a/z"}},
		{"the first and the last of a directory gone", func(r *rig) { r.remove("a", "e") },
			[]string{"-a/", "-a/b/", "-a/b/x", "-a/b/y", "-a/z", "-e/", "-e/f/", "-e/f/g/", "-e/f/g/h"}},
		{"a renamed file", func(r *rig) { r.rename("c", "a/c") }, []string{"+a/c", "-c"}},
		{"a renamed directory", func(r *rig) { r.rename("a/b", "d/b") },
			[]string{"-a/b/", "-a/b/x", "-a/b/y", "+d/b/", "+d/b/x", "+d/b/y"}},
		{"a directory made anew", func(r *rig) {
			r.rename("d", "dd") // keeps its inode in use
			r.write("d/")
		}, []string{"~d/", "+dd/"}},
		{"a file that became a directory", func(r *rig) { r.remove("c"); r.write("c/x/y") },
			[]string{"~c/ f", "+c/x/", "+c/x/y"}},
		{"a directory that became a file", func(r *rig) { r.remove("a"); r.write("a") },
			[]string{"~a d", "-a/b/", "-a/b/x", "-a/b/y", "-a/z"}},
		{"a swap", func(r *rig) { r.rename("a/b/x", "t"); r.rename("a/b/y", "a/b/x"); r.rename("t", "a/b/y") },
			[]string{"~a/b/x", "~a/b/y"}},
		{"a hard link", func(r *rig) { r.must(os.Link(r.at("c"), r.at("d/c"))) }, []string{"~c", "+d/c"}},
		{"only names between those of the base", func(r *rig) { r.write("a/b/w", "a/b/xy", "a/b/z") },
			[]string{"+a/b/w", "+a/b/xy", "+a/b/z"}},
		{"a tree emptied", func(r *rig) { r.remove("a", "c", "d", "e") },
			[]string{"-a/", "-a/b/", "-a/b/x", "-a/b/y", "-a/z", "-c", "-d/", "-e/", "-e/f/", "-e/f/g/", "-e/f/g/h"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachSystem(t, func(t *testing.T, r *rig) {
				r.write(setup...)
				r.sync()
				test.edit(r)
				r.expect(test.want...)
				r.sync()
				r.expect()
			})
		})
	}
}

func TestScanFlags(t *testing.T) {
	for _, flag := range []Flags{Racy, Retained, Adopted, Retained | Adopted} {
		eachSystem(t, func(t *testing.T, r *rig) {
			r.write("d/f", "g")
			r.sync()
			r.flag(flag, "d/f")
			r.expect("~d/f")
			if flag != Racy {
				r.flag(flag, "d")
				r.expect("~d/", "~d/f")
			}
			r.remove("d")
			if flag.Has(Retained) {
				r.expect() // neither is planned again
				r.cfg.Mirror = true
			}
			r.expect("-d/", "-d/f")
		})
	}
}

func TestScanFindsUnretainedBeneathRetained(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/e/kept", "d/e/gone", "d/f")
		r.sync()
		r.flag(Retained, "d", "d/e", "d/e/kept")
		r.remove("d")
		r.expect("-d/e/gone", "-d/f")
	})
}

func TestScanChecksum(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("a", "d/b")
		r.sync()
		r.cfg.Checksum = true
		r.expect("~a", "~d/b")
	})
}

func TestScanOddNames(t *testing.T) {
	names := []string{
		"new\nline", `"quoted" 'twice'`, "\\", " ", "-rf", "\xff\xfe not utf-8", "é", "e\u0301",
		strings.Repeat("n", 255), "d!", "d/x", "d0", "...", "*?[",
	}
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write(names...)
		want := slices.Clone(names)
		want = append(want, "d/")
		for i, name := range want {
			want[i] = "+" + name
		}
		slices.SortFunc(want, func(a, b string) int { return ComparePaths(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")) })
		r.expect(want...)
		r.sync()
		r.expect()
	})
}

func TestScanManyNames(t *testing.T) {
	// More than one buffer of getdents64 holds.
	eachSystem(t, func(t *testing.T, r *rig) {
		long := strings.Repeat("x", 200)
		const n = 3000
		for i := range n {
			r.must(os.WriteFile(r.at(long+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))), nil, 0o644))
		}
		head := r.scan()
		if len(head.Changes) != n || head.Stats.Files != n {
			t.Errorf("found %d changes, %d files; want %d", len(head.Changes), head.Stats.Files, n)
		}
		r.sync()
		r.expect()
	})
}

func TestScanSkipsSpecial(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("a/f", "b/g", "plain")
		r.sync()
		r.must(syscall.Mkfifo(r.at("fifo"), 0o644))
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		r.must(err)
		defer syscall.Close(fd)
		r.must(syscall.Bind(fd, &syscall.SockaddrUnix{Name: r.at("socket")}))
		if head := r.expect(); head.Stats.Special != 2 {
			t.Errorf("special files counted: %d, want 2", head.Stats.Special)
		}
		// What is skipped takes the place of what the remote holds.
		r.remove("plain", "a")
		r.must(syscall.Mkfifo(r.at("plain"), 0o644))
		r.must(syscall.Mkfifo(r.at("a"), 0o644))
		r.expect("-a/", "-a/f", "-plain", "^a", "^plain")
	})
}

func TestScanSkipsLinks(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("dir/sub/f", "dir/g", "file", "other")
		r.sync()
		r.rename("dir", "moved")
		r.link("moved", "dir")
		r.remove("file")
		r.link("other", "file")
		r.link("nowhere", "dangling")
		head := r.expect("-dir/", "-dir/g", "-dir/sub/", "-dir/sub/f", "-file", "+moved/", "+moved/g", "+moved/sub/", "+moved/sub/f", "^dir", "^file")
		if head.Stats.Symlinks != 3 {
			t.Errorf("links counted: %d, want 3", head.Stats.Symlinks)
		}
		r.flag(Retained, "file", "dir/g")
		r.expect("-dir/", "-dir/sub/", "-dir/sub/f", "+moved/", "+moved/g", "+moved/sub/", "+moved/sub/f", "^dir", "^file")
	})
}

func TestScanKeepsLinks(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Links = KeepLinks
		r.write("dir/f")
		r.link("dir", "link")
		r.link("../nowhere", "dangling")
		head := r.expect("+dangling", "+dir/", "+dir/f", "+link")
		if e := head.Changes[0].New; e.Kind != Symlink || e.Size != int64(len("../nowhere")) {
			t.Errorf("entry of the link is %+v", e)
		}
		r.sync()
		r.remove("link", "dir")
		r.link("elsewhere", "link")
		r.link("x", "dir")
		r.expect("~dir d", "-dir/f", "~link")
	})
}

func TestScanFollowsLinks(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Links = FollowLinks
		outside := t.TempDir()
		r.must(os.WriteFile(filepath.Join(outside, "o"), []byte("12345"), 0o644))
		r.write("a/f", "b/")
		r.link(outside, "b/out")
		r.link("../a/f", "b/f")
		r.link("..", "b/loop")
		r.link("nowhere", "dangling")
		head := r.expect("+a/", "+a/f", "+b/", "+b/f", "+b/out/", "+b/out/o", "!b/loop", "!dangling")
		if head.Changes[3].New.Kind != File || head.Changes[5].New.Size != 5 {
			t.Errorf("followed entries are %+v and %+v", head.Changes[3].New, head.Changes[5].New)
		}
		r.sync()
		r.expect("!b/loop", "!dangling")
		r.must(os.RemoveAll(outside))
		r.remove("a/f")
		r.expect("-a/f", "!b/f", "!b/loop", "!b/out", "!dangling", "?b/f 1", "?b/out 1")
	})
}

// rules is a Filter: files whose name ends in ".no" and directories named "no" do not belong, nor do
// directories with a file named ".skip", nor files above max.
type rules struct {
	max   int64
	asked func(path string)
}

func (f rules) File(path string, size int64, _ time.Time) bool {
	if f.asked != nil {
		f.asked(path)
	}
	return !strings.HasSuffix(path, ".no") && (f.max == 0 || size <= f.max)
}

func (f rules) Dir(path string) bool {
	if f.asked != nil {
		f.asked(path)
	}
	return path != "no" && !strings.HasSuffix(path, "/no")
}

func (rules) Markers() []string { return []string{".skip"} }

func TestScanFilters(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("a/no/f", "a/x.no", "a/y", "no/deep/f", "m/sub/f", "m/g", "big=12345678")
		r.sync()
		r.cfg.Filter = rules{max: 7}
		if head := r.expect(); head.Stats.Excluded != 4 {
			t.Errorf("excluded: %d, want 4", head.Stats.Excluded)
		}
		r.write("m/.skip", "m/h", "n/.skip", "n/sub/")
		r.expect() // the marked directories do not exist, on neither side
		r.remove("a/no", "a/x.no", "no", "big", "m/g")
		r.expect()
		r.remove("m", "a")
		r.expect("-a/", "-a/y", "-m/", "-m/g", "-m/sub/", "-m/sub/f")
	})
}

func TestScanFiltersWhatIsInTheWay(t *testing.T) {
	// What is excluded has no claim, even where it stands in the way of something.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("no/f", "old.no", "dir/no/g", "dir/x.no")
		r.sync()
		r.cfg.Filter = rules{}
		r.remove("no", "old.no", "dir/no", "dir/x.no")
		r.write("no")
		r.link("no", "old.no")
		r.link("no", "dir/no")
		r.link("nowhere", "dir/x.no")
		r.expect("~no d")
		r.cfg.Links = FollowLinks
		r.remove("no", "dir/no")
		if head := r.expect(); head.Stats.Excluded != 2 {
			t.Errorf("excluded: %d, want 2", head.Stats.Excluded)
		}
	})
}

func TestScanFilterPrunes(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("no/deep/f", "yes/f")
		r.cfg.Filter = rules{asked: func(path string) {
			if Beneath(path, "no") {
				t.Errorf("looked at %q, beneath a pruned directory", path)
			}
		}}
		r.faults.openErr = map[string]error{"no": errors.New("opened a pruned directory")}
		r.expect("+yes/", "+yes/f")
	})
}

func TestScanUnreadable(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/sub/f", "d/g", "d/h", "e/f", "e/g", "s/dir/f", "s/file")
		r.sync()
		r.remove("d/g", "e/g", "e/f")
		r.write("e/a", "e/z")
		r.faults.openErr = map[string]error{"d": syscall.EACCES}
		r.faults.listErr, r.faults.partial = map[string]error{"e": syscall.EIO}, 1
		r.faults.statErr = map[string]error{"s/dir": syscall.EACCES, "s/file": syscall.EIO}
		head := r.expect("+e/a", "!d", "!e", "!s/dir", "!s/file", "?d 3", "?e 2", "?s/dir 1", "?s/file 1")
		if u := head.Unproven[0]; u.Reason != "permission denied" {
			t.Errorf("unproven is %+v", u)
		}
		for _, u := range head.Unproven {
			if u.Mount {
				t.Errorf("it could not be read, but unproven is %+v", u)
			}
		}
		if err := head.Problems[0].Err; !errors.Is(err, fs.ErrPermission) {
			t.Errorf("problem is %v", err)
		}
		r.faults = faults{}
		r.expect("-d/g", "+e/a", "-e/f", "-e/g", "+e/z")
	})
}

func TestScanUnprovenBlocksBeneathAndOnlyThere(t *testing.T) {
	// "d" is listed in part: its known children are visited, and what is missing in them stays too.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/a/f", "d/a/g", "d/z", "dd/f", "c/f")
		r.sync()
		r.remove("d/a/f", "dd/f", "c/f")
		r.faults.listErr, r.faults.partial = map[string]error{"d": syscall.EIO}, 1
		r.expect("-c/f", "-dd/f", "!d", "?d 2")
	})
}

func TestScanUnprovenInUnproven(t *testing.T) {
	// What the inner one keeps, the outer one keeps as well.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/f", "d/in/g", "d/in/h", "d/zone/i")
		r.sync()
		r.remove("d/f")
		r.faults.listErr, r.faults.partial = map[string]error{"d": syscall.EIO}, 1
		r.faults.openErr = map[string]error{"d/in": syscall.EACCES}
		r.expect("!d", "!d/in", "?d 4", "?d/in 2")
	})
}

func TestScanUnreadableRoot(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("f")
		r.sync()
		r.faults.listErr = map[string]error{"": syscall.EIO}
		r.expect("!", "? 1")
		r.faults.openErr = map[string]error{"": syscall.EACCES}
		if _, err := r.tryScan(t.Context()); !errors.Is(err, ErrSourceGone) {
			t.Errorf("scan of an unreadable root: %v", err)
		}
		r.faults = faults{}
		for _, root := range []string{r.at("gone"), r.at("f")} {
			r.cfg.Root = root
			if _, err := r.tryScan(t.Context()); !errors.Is(err, ErrSourceGone) {
				t.Errorf("scan of %s: %v", root, err)
			}
		}
	})
}

func TestScanVanishing(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/a", "d/b", "e/f", "f/g", "h/i", "o/p")
		r.sync()
		r.faults.afterOpen = map[string]func(){"o": func() { r.remove("o") }}
		r.faults.afterList = map[string]func(){
			"d": func() { r.remove("d/a") },
			"":  func() { r.remove("e") },
		}
		r.faults.beforeOpen = map[string]func(){
			"f": func() { r.remove("f"); r.write("f") },
			"h": func() { r.rename("h", "k"); r.link("k", "h") },
		}
		r.expect() // the listings that would prove it were read before
		r.remove("h")
		r.expect("-d/a", "-e/", "-e/f", "~f d", "-f/g", "-h/", "-h/i", "+k/", "+k/i", "-o/", "-o/p")
	})
}

func TestScanReplacedDirectory(t *testing.T) {
	// Between the stat by its parent and its own opening a directory becomes another one, as when a
	// file system is unmounted from it: that one is empty, and proves nothing.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/f")
		r.sync()
		r.faults.beforeOpen = map[string]func(){"d": func() { r.rename("d", "was"); r.write("d/") }}
		r.expect()
		r.expect("~d/", "-d/f", "+was/", "+was/f")
	})
}

func TestScanReappearing(t *testing.T) {
	// A listing that leaves out a name which is there, as may happen while others are renamed.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/a", "d/b", "e/f")
		r.sync()
		r.remove("d/a", "e")
		r.faults.beforeLookup = map[string]func(){
			"d/a": func() { r.write("d/a") },
			"e":   func() { r.write("e/f") },
		}
		r.expect()
		r.remove("d/a", "e")
		r.faults.lookupErr = map[string]error{"d/a": syscall.EIO, "e": syscall.EIO}
		r.expect("!d/a", "!e", "?d/a 1", "?e 1")
	})
}

func TestScanCaseInsensitive(t *testing.T) {
	// "readme" became "README", and looking for the old name finds the new one.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("readme")
		r.sync()
		r.rename("readme", "README")
		r.faults.beforeLookup = map[string]func(){"readme": func() { r.write("readme") }}
		r.expect("+README", "-readme")
	})
}

func TestScanImpossibleNames(t *testing.T) {
	// Names that another tool left on the remote, and that no file here can have.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("f")
		r.sync()
		long := strings.Repeat("l", 300)
		r.base[long] = Entry{Kind: File, Flags: Adopted}
		r.base["a\x00b"] = Entry{Kind: File, Flags: Adopted}
		r.expect("-a\x00b", "-"+long)
	})
}

func TestScanRacy(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Now = nil
		r.write("new")
		if head := r.expect("+new"); head.Changes[0].New.Flags != Racy {
			t.Errorf("a file written just now is not racy: %+v", head.Changes[0].New)
		}
		r.cfg.Now = func() time.Time { return time.Now().Add(time.Second) }
		if head := r.expect("+new"); head.Changes[0].New.Flags != 0 {
			t.Errorf("a file written a second ago is racy: %+v", head.Changes[0].New)
		}
	})
}

func TestScanCancelled(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("a/b/c", "d/e/f", "g")
		ctx, cancel := context.WithCancel(t.Context())
		r.faults.afterOpen = map[string]func(){"d": cancel}
		if head, err := r.tryScan(ctx); !errors.Is(err, context.Canceled) || head != nil {
			t.Errorf("cancelled scan: %v, %v", head, err)
		}
	})
}

// brokenBase fails at its n-th call.
type brokenBase struct {
	*memory
	left int
}

func (b *brokenBase) Reader() (BaseReader, error) {
	if b.left--; b.left < 0 {
		return nil, errBroken
	}
	r, err := b.memory.Reader()
	return &brokenReader{r, b}, err
}

type brokenReader struct {
	BaseReader
	base *brokenBase
}

var errBroken = errors.New("broken base")

func (r *brokenReader) Open(dir string) error {
	if r.base.left--; r.base.left < 0 {
		return errBroken
	}
	return r.BaseReader.Open(dir)
}

func (r *brokenReader) Next() ([]byte, *Entry, error) {
	if r.base.left--; r.base.left < 0 {
		return nil, nil, errBroken
	}
	return r.BaseReader.Next()
}

func (r *brokenReader) Find(dir, name string) (*Entry, error) {
	if r.base.left--; r.base.left < 0 {
		return nil, errBroken
	}
	return r.BaseReader.Find(dir, name)
}

func TestScanBrokenBase(t *testing.T) {
	// Whatever the base fails at, the scan fails, and never takes a short answer for the whole.
	r := newRig(t, openDirectory)
	r.cfg.Workers = 1
	r.write("a/b", "c/d", "e")
	r.sync()
	r.remove("c")
	brokenScans(r, 8)
	r.cfg.Within = []Scope{{"a/b", false}, {"c", false}, {"f", false}}
	brokenScans(r, 6)
}

// brokenScans scans, with a base that fails at the first call, at the second, and so on.
func brokenScans(r *rig, least int) {
	r.t.Helper()
	for n := 0; ; n++ {
		base := &brokenBase{newMemory(r.t, r.base), n}
		head, err := Scan(r.t.Context(), r.cfg, base)
		base.closed()
		if err == nil {
			if got := describe(head); !slices.Equal(got, []string{"-c/", "-c/d"}) {
				r.t.Errorf("scan says %q", got)
			}
			if n < least {
				r.t.Errorf("the base was asked only %d times", n)
			}
			return
		}
		if !errors.Is(err, errBroken) || head != nil {
			r.t.Fatalf("broken after %d calls: %v, %v", n, head, err)
		}
	}
}
