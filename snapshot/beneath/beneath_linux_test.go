package beneath

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOpen holds openat2 and the walk to the same answers: only names of directories lead anywhere.
func TestOpen(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"root/d/e", "outside"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"root/f", "root/d/f", "outside/f"} {
		if err := os.WriteFile(filepath.Join(base, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out": "../outside", "absolute": base + "/outside", "in": "d", "d/up": "..", "link": "f"} {
		if err := os.Symlink(target, filepath.Join(base, "root", link)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := unix.Open(filepath.Join(base, "root"), Passing|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)

	answers := []struct {
		path  string
		flags int
		want  error
	}{
		{"", Passing, nil}, {"d", Passing, nil}, {"d/e", Passing, nil}, {"f", unix.O_RDONLY, nil}, {"d/f", unix.O_RDONLY, nil},
		{"none", Passing, unix.ENOENT}, {"none/f", unix.O_RDONLY, unix.ENOENT}, {"f/f", unix.O_RDONLY, unix.ENOTDIR}, {"f", Passing, unix.ENOTDIR},
		{"out", Passing, unix.ELOOP}, {"in", Passing, unix.ELOOP}, {"absolute", Passing, unix.ELOOP},
		{"out/f", unix.O_RDONLY, unix.ELOOP}, {"absolute/f", unix.O_RDONLY, unix.ELOOP}, {"in/f", unix.O_RDONLY, unix.ELOOP},
		{"d/up/f", unix.O_RDONLY, unix.ELOOP}, {"link", unix.O_RDONLY, unix.ELOOP},
		{"link", unix.O_PATH | unix.O_NOFOLLOW, nil}, {"out/f", unix.O_PATH | unix.O_NOFOLLOW, unix.ELOOP},
		{"..", Passing, unix.EXDEV}, {"../outside/f", unix.O_RDONLY, unix.EXDEV},
	}
	missing := func(int, string, *unix.OpenHow) (int, error) { return -1, unix.ENOSYS }
	refused := func(int, string, *unix.OpenHow) (int, error) { return -1, unix.EPERM }
	for name, call := range map[string]func(int, string, *unix.OpenHow) (int, error){"openat2": unix.Openat2, "missing": missing, "refused": refused} {
		t.Run(name, func(t *testing.T) {
			defer func() { openat2 = unix.Openat2 }()
			openat2 = call
			for _, a := range answers {
				fd, err := Open(root, a.path, a.flags)
				if err == nil {
					unix.Close(fd)
				}
				if err != a.want {
					t.Errorf("open %q with %#x: %v, want %v", a.path, a.flags, err, a.want)
				}
			}
		})
	}
	if left, err := os.ReadDir(filepath.Join(base, "outside")); err != nil || len(left) != 1 {
		t.Errorf("outside are %v, %v", left, err)
	}
}
