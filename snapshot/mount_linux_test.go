package snapshot

import (
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mounting returns a rig on a source with a directory "m" in it, and functions that mount a new
// empty file system there, and unmount it. It skips the test where that may not be done.
func mounting(t *testing.T) (r *rig, mount, unmount func()) {
	r = newRig(t, openDirectory)
	r.write("m/")
	at := r.at("m")
	mount = func() {
		t.Helper()
		if err := unix.Mount("tmpfs", at, "tmpfs", 0, "size=1m"); err != nil {
			t.Skipf("cannot mount here: %v", err)
		}
	}
	unmount = func() { t.Helper(); r.must(unix.Unmount(at, unix.MNT_DETACH)) }
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
	return r, mount, unmount
}

func TestMountRecorded(t *testing.T) {
	r, mount, _ := mounting(t)
	mount()
	r.write("m/f", "m/sub/g", "plain")
	r.sync()
	if len(r.cfg.Mounts) != 1 || r.cfg.Mounts["m"] == 0 {
		t.Fatalf("mounts are %v", r.cfg.Mounts)
	}
	r.expect()
	r.remove("m/f")
	r.expect("-m/f") // what was expected to be mounted is: deletes are deletes
}

func TestMountVanishes(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f", "m/sub/g", "plain")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	unmount()
	head := r.expect("~m/", "?m 2")
	if u := head.Unproven[0]; !u.Mount || !maps.Equal(head.Mounts, expected) {
		t.Errorf("unproven is %+v, mounts are %v", u, head.Mounts)
	}
	r.write("m/new")
	r.remove("plain")
	r.expect("~m/", "+m/new", "-plain", "?m 2") // only deletes are blocked, and only beneath

	r.remove("m")
	r.expect("-plain", "?m 2")
	r.write("m")
	r.expect("-plain", "!m", "?m 2")
}

func TestMountVanishedStaysExpected(t *testing.T) {
	// The head of a scan without the mount becomes the base: the next scan must not delete.
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f")
	r.sync()
	unmount()
	r.sync()
	r.expect("?m 1")
	r.cfg.AnyMount = true // a person says that this is right
	head := r.expect("-m/f")
	if len(head.Mounts) != 0 {
		t.Errorf("mounts are %v", head.Mounts)
	}
}

func TestMountReplaced(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f", "m/same")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	unmount()
	mount()
	r.write("m/same", "m/other")
	head := r.scan()
	if !maps.Equal(head.Mounts, expected) || len(head.Unproven) != 1 || head.Unproven[0].Kept != 1 {
		t.Errorf("unproven is %+v, mounts are %v, expected %v", head.Unproven, head.Mounts, expected)
	}
	r.cfg.AnyMount = true
	if head := r.scan(); len(head.Unproven) != 0 || maps.Equal(head.Mounts, expected) {
		t.Errorf("approved, but unproven is %+v, mounts are %v", head.Unproven, head.Mounts)
	}
	r.cfg.AnyMount = false
	r.write("m/f")
	if head := r.scan(); len(head.Unproven) != 0 || maps.Equal(head.Mounts, expected) {
		t.Errorf("with every file there, unproven is %+v, mounts are %v", head.Unproven, head.Mounts)
	}
}

func TestMountAppears(t *testing.T) {
	r, mount, _ := mounting(t)
	r.write("m/f")
	r.sync()
	mount()
	r.write("m/g")
	r.expect("~m/", "+m/g", "?m 1")
	r.sync()
	r.expect("?m 1") // and goes on doing so
	r.flag(Adopted, "m/f", "m/g")
	r.expect("-m/f", "~m/g") // what came from a listing of the remote says nothing of mounts
}

func TestMountOneFileSystem(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	r.cfg.OneFileSystem = true
	r.write("m/g")
	r.remove("m/f")
	if head := r.expect(); !maps.Equal(head.Mounts, expected) {
		t.Errorf("mounts are %v, want those from before -x: %v", head.Mounts, expected)
	}
	unmount()
	r.expect("~m/", "?m 1")
}

func TestMountBeneathRemoved(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f")
	r.sync()
	unmount()
	// The base has it further down: the directory that it was in is gone as well.
	for _, path := range []string{"m", "m/f"} {
		r.base["d/"+path] = r.base[path]
		delete(r.base, path)
	}
	r.base["d"] = Entry{Kind: Dir}
	r.base["d/plain"] = Entry{Kind: File}
	r.cfg.Mounts = map[string]uint64{"d/m": r.cfg.Mounts["m"]}
	r.remove("m")
	r.expect("-d/", "-d/plain", "?d/m 1")
}

func TestMountBind(t *testing.T) {
	// The same file system, so devices do not tell.
	r, _, _ := mounting(t)
	r.write("real/f")
	if err := unix.Mount(r.at("real"), r.at("m"), "", unix.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	var x unix.Statx_t
	r.must(unix.Statx(unix.AT_FDCWD, r.at("m"), 0, unix.STATX_INO, &x))
	if x.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		t.Skip("this kernel does not tell the root of a bind mount")
	}
	r.sync()
	r.must(unix.Unmount(r.at("m"), 0))
	r.expect("~m/", "?m 1")
}

func TestMountUnderUnreadable(t *testing.T) {
	r, mount, _ := mounting(t)
	mount()
	r.write("m/f")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	r.faults.openErr = map[string]error{"m": syscall.EACCES}
	if head := r.expect("!m", "?m 1"); !maps.Equal(head.Mounts, expected) {
		t.Errorf("mounts are %v", head.Mounts)
	}
}

func TestMountWithin(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f", "m/sub/g", "m/sub/h", "plain")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	r.remove("m/f", "m/sub/h")
	r.within("m/f")
	if head := r.expect("-m/f"); !maps.Equal(head.Mounts, expected) {
		t.Errorf("mounts are %v", head.Mounts)
	}
	r.write("m/f")
	r.sync()
	unmount()
	r.write("m/new")
	for _, look := range []struct {
		place string
		want  []string
	}{
		{"plain", nil},
		{"m/f", []string{"?m 1"}},
		{"m/sub/g", []string{"?m 1"}},
		{"m/sub", []string{"?m 2"}},
		{"m", []string{"~m/"}},
		{"m/", []string{"~m/", "+m/new", "?m 3"}},
		{"m/new", []string{"+m/new"}}, // nothing is missing there
	} {
		r.within(look.place)
		if head := r.expect(look.want...); !maps.Equal(head.Mounts, expected) {
			t.Errorf("%q: mounts are %v", look.place, head.Mounts)
		}
	}
	r.sync()
	r.cfg.Within = nil
	r.expect("~m/", "?m 3") // no look at a part made it forget the mount
	r.cfg.AnyMount = true
	r.within("m/f")
	if head := r.expect("-m/f"); len(head.Mounts) != 0 {
		t.Errorf("approved, and mounts are %v", head.Mounts)
	}
}

func TestMountAppearsWithin(t *testing.T) {
	r, mount, _ := mounting(t)
	r.write("m/f", "m/g")
	r.sync()
	mount()
	r.write("m/g", "m/new")
	r.within("m/new")
	r.expect("+m/new")
	r.sync()
	if len(r.cfg.Mounts) != 0 {
		t.Errorf("mounts are %v", r.cfg.Mounts)
	}
	r.within("m/f", "m/new")
	r.expect("?m 1")
	r.cfg.Within = nil
	r.expect("~m/", "~m/g", "?m 1")
	r.cfg.OneFileSystem = true
	r.within("m/f", "m/new", "m")
	r.expect()
}

func TestMountReplacedWithin(t *testing.T) {
	r, mount, unmount := mounting(t)
	mount()
	r.write("m/f", "m/g")
	r.sync()
	expected := maps.Clone(r.cfg.Mounts)
	unmount()
	mount()
	r.write("m/g")
	r.within("m/f")
	r.expect("?m 1")
	r.within("m/g")
	if head := r.expect("~m/g"); !maps.Equal(head.Mounts, expected) {
		t.Errorf("mounts are %v, expected %v", head.Mounts, expected)
	}
}

func TestIdentity(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	identify := func() Identity {
		t.Helper()
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		id, err := Identify(root)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := identify()
	if same, why := identify().Same(first); !same {
		t.Errorf("not the same as itself: %s", why)
	}
	// ext4 gives the new directory the inode of the old one.
	if err := os.Remove(root); err != nil {
		t.Fatal(err)
	}
	second := identify()
	if same, why := second.Same(first); same || why == "" {
		t.Errorf("a directory made anew is the same: %+v, %+v", first, second)
	}
	other := second
	other.Ino++
	if same, _ := second.Same(other); same {
		t.Error("another inode is the same directory")
	}
	other = second
	other.Dev++
	if same, why := second.Same(other); !same && second.FSID != 0 {
		t.Errorf("another device number alone: %s", why)
	}
	other.FSID = 0
	if same, _ := second.Same(other); same {
		t.Error("another device, and a file system that is not known")
	}
	other = second
	other.FSID += 2
	if same, _ := second.Same(other); same {
		t.Error("another file system is the same")
	}
	for _, gone := range []string{root + "x", os.Args[0]} {
		if _, err := Identify(gone); err == nil {
			t.Errorf("identified %s", gone)
		}
	}
}
