package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
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
		st := &control.Status{State: "held", Held: tt.held, HeldByMounts: tt.byMounts, HeldWhy: "why", Approve: "way"}
		if err := writeStatus(&b, "heading", st, time.Now()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), tt.want) || strings.Contains(b.String(), "held ") != (tt.held > 0) {
			t.Errorf("%d held, %d by mounts:\n%s", tt.held, tt.byMounts, b.String())
		}
	}
}

func TestStatusNamesAFailedPathOnce(t *testing.T) {
	var b strings.Builder
	st := &control.Status{Failed: 1, Failures: []control.Failure{{Path: "d/a", Message: `send "d/a": no space`, Tries: 1, Last: time.Now()}}}
	if err := writeStatus(&b, "heading", st, time.Now()); err != nil {
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
	st, err := statusIn(&mapping.Session{Mapping: m, Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Uploads) != 1 || st.Uploads[0].Confirmed != 2<<20 || st.Uploads[0].Size != 3<<20 {
		t.Fatalf("%+v", st.Uploads)
	}
	var b strings.Builder
	if err := writeStatus(&b, "heading", &st, now); err != nil {
		t.Fatal(err)
	}
	if want := "  unfinished    big.bin: the remote has 2.0 MiB of 3.0 MiB, since "; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}

func TestNothingToApprove(t *testing.T) {
	m := &mapping.Mapping{Source: "/src", Key: "dst:"}
	if got := nothingToApprove(m, &journal.Holds{}); got != "nothing is held" {
		t.Error(got)
	}
	got := nothingToApprove(m, &journal.Holds{MountsHeld: 2, MountsWhy: "gone"})
	if want := "2 files kept: gone; mount it again, or accept what is there now with: snapsync approve --new-source /src --remote dst:"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Another config file may have another mapping of the same name.
func TestMappingIsKnownByItsID(t *testing.T) {
	m := &mapping.Mapping{ID: "work-1", Display: "dst:", Name: "work"}
	for _, tt := range []struct {
		st   control.Status
		want bool
	}{
		{control.Status{ID: "work-1", Mapping: "renamed", Remote: "dst:"}, true},
		{control.Status{ID: "work-2", Mapping: "work", Remote: "other:"}, false},
		{control.Status{ID: "work", Mapping: "work", Remote: "dst:"}, true}, // not prepared yet
		{control.Status{ID: "work", Mapping: "work", Remote: "other:"}, false},
	} {
		if got := isMapping(m, &tt.st); got != tt.want {
			t.Errorf("%+v: %v", tt.st, got)
		}
	}
}

// A path that fails is worth a line in the log; what only passes by is not.
func TestFlightKeepsFailures(t *testing.T) {
	f := newFlight()
	fail := func(path string, err error) {
		f.observe(event.Event{Type: event.StepDone, Step: &journal.Step{Action: journal.Send, Path: path}, Err: err})
	}
	fail("away", fmt.Errorf("send: %w", remote.ErrOffline))
	fail("log", fmt.Errorf("send: %w", snapshot.ErrChanged))
	for n := range text.MaxShown + 2 {
		fail(fmt.Sprint(n), errors.New("no space"))
	}
	sum := f.take()
	if len(sum.Failures) != text.MaxShown || sum.Failures[0].Path != "0" || sum.Failed != text.MaxShown+4 {
		t.Errorf("%d failed, of which %v", sum.Failed, sum.Failures)
	}
	if sum := f.take(); sum.Failed != 0 || sum.Failures != nil {
		t.Errorf("taken twice: %+v", sum)
	}
}
