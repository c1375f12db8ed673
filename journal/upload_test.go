package journal

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/snapsync/snapsync/snapshot"
)

func upload(path string, size int64) *PartialUpload {
	return &PartialUpload{
		Path: path, Connection: "s3 there", ID: "id of " + path, PartSize: 5, Source: *file(size), Began: noon, Last: noon,
	}
}

func recalled(t *testing.T, j *Journal, path string) *PartialUpload {
	t.Helper()
	u, err := j.Upload(path)
	must(t, err)
	return u
}

// TestUploadComesBack goes through the life of an upload, and opens the journal anew after each step.
func TestUploadComesBack(t *testing.T) {
	j, path := newJournal(t)
	const name = "d\xff/big\n"
	reopen := func() {
		t.Helper()
		mustBeSound(t, j)
		must(t, j.Close())
		j = mustOpen(t, path)
	}
	t.Cleanup(func() { j.Close() })
	if u := recalled(t, j, name); u != nil {
		t.Fatalf("got %+v before it began", u)
	}
	want := upload(name, 12)
	must(t, j.BeginUpload(want))
	later := noon.Add(time.Hour)
	second := Part{Number: 2, Size: 5, ETag: `"e2"`, Checksum: []byte{0, 1, 2}}
	first := Part{Number: 1, Size: 5, ETag: "e1", Checksum: []byte{}}
	for _, p := range []Part{second, first} {
		reopen()
		must(t, j.AddPart(name, p, later))
	}
	reopen()
	want.Parts, want.Confirmed, want.Last = []Part{first, second}, 10, later
	if diff := cmp.Diff(want, recalled(t, j, name)); diff != "" {
		t.Error(diff)
	}
	must(t, j.EndUpload(name))
	reopen()
	if u := recalled(t, j, name); u != nil {
		t.Errorf("got %+v after its end", u)
	}
	must(t, j.EndUpload(name))
}

func TestBeginUploadReplaces(t *testing.T) {
	j, _ := newJournal(t)
	must(t, j.BeginUpload(upload("a", 20)))
	must(t, j.AddPart("a", Part{Number: 1, Size: 5, ETag: "old"}, noon))
	must(t, j.AddPart("a", Part{Number: 1, Size: 4, ETag: "new"}, noon))
	u := recalled(t, j, "a")
	if len(u.Parts) != 1 || u.Parts[0].ETag != "new" || u.Confirmed != 4 {
		t.Errorf("a part that was sent again is %+v, %d bytes in all", u.Parts, u.Confirmed)
	}
	again := upload("a", 7)
	again.ID, again.Connection = "", "elsewhere"
	must(t, j.BeginUpload(again))
	if diff := cmp.Diff(again, recalled(t, j, "a"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestUploads(t *testing.T) {
	j, _ := newJournal(t)
	for _, name := range []string{"b", "a/x", "a"} {
		must(t, j.BeginUpload(upload(name, 12)))
	}
	must(t, j.AddPart("a", Part{Number: 2, Size: 5}, noon))
	must(t, j.AddPart("a", Part{Number: 1, Size: 5}, noon.Add(time.Second)))
	all, err := j.Uploads()
	must(t, err)
	a := upload("a", 12)
	a.Confirmed, a.Last = 10, noon.Add(time.Second)
	if diff := cmp.Diff([]PartialUpload{*a, *upload("a/x", 12), *upload("b", 12)}, all); diff != "" {
		t.Error(diff)
	}
}

// A part needs an upload, and an upload a possible source: neither leaves anything behind.
func TestUploadRefuses(t *testing.T) {
	j, _ := newJournal(t)
	if err := j.AddPart("nothing", Part{Number: 1, Size: 1}, noon); err == nil {
		t.Error("a part of no upload was accepted")
	}
	bad := upload("a", 1)
	bad.Source = snapshot.Entry{}
	if err := j.BeginUpload(bad); err == nil {
		t.Error("an upload of nothing was accepted")
	}
	all, err := j.Uploads()
	must(t, err)
	if len(all) != 0 {
		t.Errorf("left %+v", all)
	}
	mustBeSound(t, j)
}

// TestUploadsConcurrently covers "all may be called concurrently", beside acknowledgements.
func TestUploadsConcurrently(t *testing.T) {
	j, _ := newJournal(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("big%d", i)
			for round := range 3 {
				err := j.BeginUpload(upload(name, 50))
				for number := 1; number <= 10 && err == nil; number++ {
					err = j.AddPart(name, Part{Number: number, Size: 5}, noon)
				}
				if u, readErr := j.Upload(name); err == nil && (readErr != nil || u == nil || u.Confirmed != 50) {
					t.Errorf("round %d: %+v, %v", round, u, readErr)
				}
				if i%2 == 0 && err == nil {
					err = j.EndUpload(name)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		run(t, j, send(fmt.Sprint("f", i), file(1)))
	}
	wg.Wait()
	all, err := j.Uploads()
	must(t, err)
	if len(all) != 4 {
		t.Errorf("%d uploads are left, want 4", len(all))
	}
	mustBeSound(t, j)
}

// An upload that nobody is going to finish is cleaned up after like a temporary name.
func TestStaleTempsKnowsUploads(t *testing.T) {
	j, _ := newJournal(t)
	for _, path := range []string{"wanted", "given up"} {
		must(t, j.BeginUpload(upload(path, 9)))
	}
	_, err := j.Begin(Plan{Steps: []Step{send("wanted", file(9))}}, nil, noon)
	must(t, err)
	stale, err := j.StaleTemps()
	must(t, err)
	if diff := cmp.Diff([]string{"given up"}, stale); diff != "" {
		t.Error(diff)
	}
}
