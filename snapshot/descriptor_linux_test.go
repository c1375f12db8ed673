package snapshot

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestScanFillsEntries(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("f=four", "d/")
		r.must(syscall.Chmod(r.at("f"), 0o4750))
		mtime := time.Unix(1234567890, 123456789)
		r.must(os.Chtimes(r.at("f"), mtime, mtime))
		head := r.expect("+d/", "+f")
		var st syscall.Stat_t
		r.must(syscall.Stat(r.at("f"), &st))
		want := Entry{Kind: File, Mode: 0o4750, Size: 4, Mtime: mtime.UnixNano(),
			Ctime: st.Ctim.Nano(), Dev: st.Dev, Ino: st.Ino}
		if got := *head.Changes[1].New; got != want {
			t.Errorf("entry of f is\n%+v, want\n%+v", got, want)
		}
		if got := head.Changes[0].New; got.Kind != Dir || got.Size != 0 || got.Ino == 0 {
			t.Errorf("entry of d is %+v", got)
		}
		if want := (Stats{Files: 1, Dirs: 1, Bytes: 4}); head.Stats != want {
			t.Errorf("stats are %+v, want %+v", head.Stats, want)
		}
	})
}

// A file system in which case does not count gives itself away by finding a name in other letters.
func TestFolds(t *testing.T) {
	r := newRig(t, openDirectory)
	r.write("one", "Ärger", "123", "both", "BOTH", "\xffa")
	opened, err := openDirectory(r.cfg.Root, false)
	r.must(err)
	defer opened.close()
	d := opened.(*descriptor)
	_, err = d.open("")
	r.must(err)
	for name, want := range map[string]bool{"one": false, "Ärger": false, "123": false, "both": true, "\xffa": false} {
		if got := d.folds(name); got != want {
			t.Errorf("%q folds: %v", name, got)
		}
	}
	for name, want := range map[string]string{"a": "A", "ReadMe.TXT": "rEADmE.txt", "Ärger": "äRGER", "1_!": "1_!", "\xffa": "\xffa"} {
		if got := swapCase(name); got != want {
			t.Errorf("%q in other letters: %q, want %q", name, got, want)
		}
	}
}

func TestScanDeepTree(t *testing.T) {
	r := newRig(t, openDirectory)
	path := digDeep(r, 40)
	if len(path) < 2*4096 {
		t.Fatalf("path has only %d bytes", len(path))
	}
	if head := r.scan(); len(head.Problems) > 0 || len(head.Changes) != 41 || head.Changes[40].Path != path {
		t.Fatalf("got %d changes, problems %v", len(head.Changes), head.Problems)
	}
	r.sync()
	r.expect()
	e, _, err := HashFile(t.Context(), r.cfg, path)
	if err != nil || e.Size != 4 {
		t.Errorf("hash of the deep file: %+v, %v", e, err)
	}
}

// digDeep makes n directories with names of 255 bytes, one in the other, and a file at the bottom.
// Names of 255 bytes put the cuts of long paths at every possible distance from a slash.
func digDeep(r *rig, n int) (path string) {
	r.t.Helper()
	r.t.Chdir(r.cfg.Root) // for the duration of the test
	for i := range n {
		name := strings.Repeat(string(rune('a'+i%26)), 255)
		r.must(os.Mkdir(name, 0o755))
		r.must(os.Chdir(name))
		path = Join(path, name)
	}
	r.must(os.WriteFile("f", []byte("deep"), 0o644))
	return Join(path, "f")
}
