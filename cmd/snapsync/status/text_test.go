package status

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// What a guard holds can be looked at and let through; what mounts hold comes right by itself when they
// are back.
func TestStatusSaysWhatIsHeld(t *testing.T) {
	for _, tt := range []struct {
		held, byMounts int64
		want           string
	}{
		{2, 0, "  held          2 steps: why\n                this shows them and lets them through: way\n"},
		{2, 2, "  held          2 files: why\n                mount it again, or accept what is there now with: way\n"},
		{3, 1, "  held          2 steps and 1 file: why\n                mount it again, and approve what is meant: way\n"},
		{0, 0, "                mount it again, or accept what is there now with: way\n"}, // the source itself
	} {
		var b strings.Builder
		st := &Status{State: "held", Held: tt.held, HeldByMounts: tt.byMounts, HeldWhy: "why", Approve: "way"}
		if err := Write(&b, "heading", st, time.Now()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), tt.want) || strings.Contains(b.String(), "held ") != (tt.held > 0) {
			t.Errorf("%d held, %d by mounts:\n%s", tt.held, tt.byMounts, b.String())
		}
	}
}

func TestStatusNamesAFailedPathOnce(t *testing.T) {
	var b strings.Builder
	st := &Status{Failed: 1, Failures: []Failure{{Path: "d/a", Message: `send "d/a": no space`, Tries: 1, Last: time.Now()}}}
	if err := Write(&b, "heading", st, time.Now()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "d/a: send: no space (1 attempt, ") {
		t.Error(b.String())
	}
}

// An upload that a crash cut off is shown with what the remote has of it.
func TestStatusShowsUnfinishedUploads(t *testing.T) {
	dir := t.TempDir()
	m := &mapping.Mapping{ID: "work", Source: "/src", Key: "dst:", Display: "dst:", Dir: dir}
	j, err := journal.Open(filepath.Join(dir, "journal.db"), journal.Mapping{Source: "/src", Remote: "dst:"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	now := time.Now()
	file := snapshot.Entry{Kind: snapshot.File, Size: 3 << 20}
	err = errors.Join(
		j.BeginUpload(&journal.PartialUpload{Path: "big.bin", Connection: "c", ID: "1", PartSize: 1 << 20, Source: file, Began: now}),
		j.AddPart("big.bin", journal.Part{Number: 1, Size: 1 << 20}, now),
		j.AddPart("big.bin", journal.Part{Number: 2, Size: 1 << 20}, now),
	)
	if err != nil {
		t.Fatal(err)
	}
	st, err := In(&mapping.Session{Mapping: m, Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Uploads) != 1 || st.Uploads[0].Confirmed != 2<<20 || st.Uploads[0].Size != 3<<20 {
		t.Fatalf("%+v", st.Uploads)
	}
	var b strings.Builder
	if err := Write(&b, "heading", &st, now); err != nil {
		t.Fatal(err)
	}
	if want := "  unfinished    big.bin: the remote has 2.0 MiB of 3.0 MiB, since "; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}
