package database

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/snapshot"
)

// anyEntry draws a valid entry with extreme numbers.
func anyEntry(t *rapid.T) *snapshot.Entry {
	e := &snapshot.Entry{
		Kind:  snapshot.Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Flags: snapshot.Flags(rapid.IntRange(0, 7).Draw(t, "flags")),
		Mode:  rapid.Uint32().Draw(t, "mode"),
		Size:  rapid.Int64Min(0).Draw(t, "size"),
		Mtime: rapid.Int64().Draw(t, "mtime"),
		Ctime: rapid.Int64().Draw(t, "ctime"),
		Dev:   rapid.Uint64().Draw(t, "dev"),
		Ino:   rapid.Uint64().Draw(t, "ino"),
	}
	if e.HashType = snapshot.HashType(rapid.IntRange(0, 14).Draw(t, "hash type")); e.HashType != snapshot.NoHash {
		copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "hash"))
	}
	return e
}

func TestPackRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyEntry(t)
		var got snapshot.Entry
		p := pack(want)
		if err := unpack(p[:], &got); err != nil {
			t.Fatal(err)
		}
		if got != *want {
			t.Fatalf("got %+v, want %+v", got, *want)
		}
	})
}

// The bytes are in journals: they may not change.
func TestPackFormat(t *testing.T) {
	e := snapshot.Entry{
		Kind: snapshot.File, HashType: snapshot.XXH3, Flags: snapshot.Racy, Mode: 0x01020304, Size: 0x0102030405060708,
		Mtime: 0x1112131415161718, Ctime: 0x2122232425262728, Dev: 0x3132333435363738, Ino: 0x4142434445464748,
	}
	for i := range e.Hash {
		e.Hash[i] = 0xf0 + byte(i)
	}
	want := "\x01\x01\x01\x01\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08" +
		"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff" +
		"\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28" +
		"\x31\x32\x33\x34\x35\x36\x37\x38\x41\x42\x43\x44\x45\x46\x47\x48"
	p := pack(&e)
	if got := string(p[:]); got != want {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// FuzzUnpack: whatever is in the file, what comes out is valid and encodes to the same bytes.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(nil))
	for _, e := range []snapshot.Entry{
		{Kind: snapshot.Dir},
		{Kind: snapshot.File, HashType: snapshot.XXH3, Hash: snapshot.Hash{1}, Size: 1 << 40},
	} {
		p := pack(&e)
		f.Add(p[:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e snapshot.Entry
		if unpack(b, &e) != nil {
			return
		}
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		if p := pack(&e); !bytes.Equal(p[:], b) {
			t.Errorf("%x came back as %x", b, p)
		}
	})
}
