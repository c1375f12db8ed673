package options

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/snapshot"
)

// TestDocumented compares docs/s3.md with what is understood.
func TestDocumented(t *testing.T) {
	b, err := os.ReadFile("../../../docs/s3.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "## What is understood")
	_, list, _ := strings.Cut(text, "Options: `")
	list, _, _ = strings.Cut(list, "`")
	if diff := cmp.Diff(slices.Sorted(slices.Values(understood)), slices.Sorted(slices.Values(strings.Fields(list)))); diff != "" {
		t.Errorf("options: %s", diff)
	}
	_, names, _ := strings.Cut(text, "Providers: ")
	names, _, _ = strings.Cut(names, ".")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(providers)), slices.Sorted(slices.Values(strings.Split(names, ", ")))); diff != "" {
		t.Errorf("providers: %s", diff)
	}
}

// TestUnderstoodExist finds options that rclone has renamed, and providers that it does not have.
func TestUnderstoodExist(t *testing.T) {
	info, err := fs.Find("s3")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range understood {
		if name != "description" && info.Options.Get(name) == nil {
			t.Errorf("rclone has no option %s", name)
		}
	}
	for name := range providers {
		if !slices.ContainsFunc(info.Options.Get("provider").Examples, func(e fs.OptionExample) bool { return e.Value == name }) {
			t.Errorf("rclone has no provider %s", name)
		}
	}
}

func TestPartSize(t *testing.T) {
	o := &Options{}
	o.ChunkSize, o.MaxUploadParts = partSize, MaxParts
	for _, size := range []int64{1, partSize, 1 << 30, 80 << 30, 5 << 40} {
		part := o.PartSize(size)
		if n := (size + part - 1) / part; n > MaxParts || part < partSize {
			t.Errorf("a file of %d bytes has %d parts of %d", size, n, part)
		}
	}
}

// TestKeys translates names and back.
func TestKeys(t *testing.T) {
	for _, root := range []string{"bucket", "bucket/d/e", "/bucket/d/"} {
		p, err := NewLocation(root, encoder.EncodeInvalidUtf8|encoder.EncodeSlash|encoder.EncodeDot)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"a", "d/b c", "\xff", "x/.../y", "‛／", "trailing "} {
			key := p.At(path, snapshot.File).Key
			name, ok := p.Name(key)
			if back, err := rclone.Decode(name); !ok || err != nil || back != path || !strings.HasPrefix(key, p.Prefix()) {
				t.Errorf("%q is %q, and back %q, %v", path, key, back, err)
			}
		}
	}
}
