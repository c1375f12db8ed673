package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

const parts = 6 // of the file that these tests send

// interrupted is a remote, behind a proxy, to which a Send of "d/big" broke off after some parts.
type interrupted struct {
	*proxy
	diary *diary
	bytes []byte
}

func interrupt(t *testing.T, options ...string) *interrupted {
	t.Helper()
	s := &interrupted{
		diary: tempDiary(t), bytes: content((parts-1)*minPartSize + 1000),
		proxy: newProxy(t, with(scratch(t), append(options, "upload_cutoff=0", "chunk_size=5M", "upload_concurrency=1")...)),
	}
	s.expect(func(op string, n int) answer { return answer{cut: op == "part" && n > 3} })
	err := s.send(t, source(s.bytes))
	if err == nil {
		t.Fatal("a send worked although its connection broke")
	}
	s.expect(nil)
	return s
}

// send sends "d/big" with a Connection of its own.
func (s *interrupted) send(t *testing.T, src *enginetest.Source) error {
	t.Helper()
	return dial(t, backends.Config{Remote: s.remote, Uploads: s.diary}).Send(t.Context(), "d/big", src)
}

// arrived checks that the object is whole, and that nothing is remembered or left.
func (s *interrupted) arrived(t *testing.T, want []byte) {
	t.Helper()
	got, err := download(t, s.remote, "d/big")
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(want))
	}
	if len(s.diary.all) > 0 {
		t.Errorf("remembered: %v", s.diary.all)
	}
	s.noUploads(t)
}

func (s *interrupted) noUploads(t *testing.T) {
	t.Helper()
	c := dial(t, backends.Config{Remote: s.remote})
	for u, err := range c.client.Uploads(t.Context(), options.Address{Bucket: c.at.Bucket, Key: c.at.Prefix()}) {
		must(t, err)
		t.Errorf("an upload of %s was left", *u.Key)
	}
}

func (s *interrupted) counts(t *testing.T, want map[string]int) {
	t.Helper()
	got := s.seen()
	for op, n := range want {
		if got[op] != n {
			t.Errorf("%d times %q, want %d; all: %v", got[op], op, n, got)
		}
	}
}

func TestResume(t *testing.T) {
	for name, options := range map[string][]string{
		"Checksums": nil,
		"MD5":       {"use_data_integrity_protections=false"},
		"WithMD5":   {"disable_checksum=false"},
	} {
		t.Run(name, func(t *testing.T) {
			s := interrupt(t, options...)
			if got := len(s.diary.all["d/big"].Parts); got != 3 {
				t.Fatalf("%d parts are remembered, want 3", got)
			}
			must(t, s.send(t, source(s.bytes)))
			s.counts(t, map[string]int{"create": 0, "part": parts - 3, "complete": 1, "abort": 0})
			if want := int64(len(s.bytes)) - 3*minPartSize; s.sent() < want || s.sent() > want+64<<10 {
				t.Errorf("%d bytes were sent to go on, want %d", s.sent(), want)
			}
			s.arrived(t, s.bytes)
		})
	}
}

// A part whose answer was lost is recognised by its checksum.
func TestResumeUnremembered(t *testing.T) {
	s := interrupt(t)
	u := s.diary.all["d/big"]
	u.Parts = u.Parts[:1]
	must(t, s.send(t, source(s.bytes)))
	s.counts(t, map[string]int{"create": 0, "part": parts - 3})
	s.arrived(t, s.bytes)
}

// What changed in the source without a trace in its stat is found by the checksums.
func TestResumeComparesContent(t *testing.T) {
	s := interrupt(t)
	s.bytes[minPartSize+5] ^= 1
	must(t, s.send(t, source(s.bytes)))
	s.counts(t, map[string]int{"create": 0, "part": parts - 2})
	s.arrived(t, s.bytes)
}

func TestResumeOtherSource(t *testing.T) {
	for name, change := range map[string]func(src *enginetest.Source){
		"mtime": func(src *enginetest.Source) { src.Mtime = day.Add(time.Second) },
		"size":  func(src *enginetest.Source) { src.Content = src.Content[:len(src.Content)-1] },
		"small": func(src *enginetest.Source) { src.Content = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := interrupt(t)
			src := source(s.bytes)
			change(src)
			must(t, s.send(t, src))
			if got := s.seen(); got["abort"] != 1 || got["create"] != len(src.Content[:min(1, len(src.Content))]) {
				t.Errorf("it was not begun anew: %v", got)
			}
			s.arrived(t, src.Content)
		})
	}
}

// Another configuration makes another object, so it needs another upload.
func TestResumeOtherConfiguration(t *testing.T) {
	s := interrupt(t)
	s.remote = strings.Replace(s.remote, "chunk_size=5M", "chunk_size=6M", 1)
	must(t, s.send(t, source(s.bytes)))
	s.counts(t, map[string]int{"create": 1, "abort": 1})
	s.arrived(t, s.bytes)
}

func TestResumeUploadGone(t *testing.T) {
	s := interrupt(t)
	was := *s.diary.all["d/big"]
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	must(t, c.Cleanup(t.Context(), "d/big"))
	if len(s.diary.all) > 0 {
		t.Errorf("Cleanup left %v", s.diary.all)
	}
	s.noUploads(t)
	s.diary.all["d/big"] = &was
	must(t, s.send(t, source(s.bytes)))
	s.counts(t, map[string]int{"create": 1, "part": parts})
	s.arrived(t, s.bytes)
}

// TestCompletedBefore loses what follows the last part: the answer, or the process.
func TestCompletedBefore(t *testing.T) {
	for name, tt := range map[string]struct {
		options []string
		change  int // a byte of the source that is another one now
		parts   int // that are sent again
	}{
		"Checksums": {},
		"MD5":       {options: []string{"use_data_integrity_protections=false"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := interrupt(t, tt.options...)
			s.expect(func(op string, _ int) answer { return answer{lose: op == "complete"} })
			if err := s.send(t, source(s.bytes)); err != nil {
				// The SDK may have tried again and learnt that the upload is gone.
				t.Log(err)
			}
			if len(s.diary.all) == 0 {
				s.arrived(t, s.bytes)
				return // that it is there was found out at once
			}
			s.expect(nil)
			must(t, s.send(t, source(s.bytes)))
			s.counts(t, map[string]int{"create": 0, "part": 0, "complete": 0})
			s.arrived(t, s.bytes)
		})
	}
}

// TestCompletedAndRefused lets the server complete an upload and then say that it failed: once, in each of
// the ways that S3 documents, and until the Send is over.
func TestCompletedAndRefused(t *testing.T) {
	for _, tt := range []struct {
		code string
		http int
		once bool
	}{
		{"InternalError", http.StatusInternalServerError, true},
		{"SlowDown", http.StatusServiceUnavailable, true},
		{"InternalError", http.StatusOK, true}, // S3 sends the head of its answer before it knows
		{"InternalError", http.StatusInternalServerError, false},
	} {
		t.Run(fmt.Sprint(tt.http, tt.code, tt.once), func(t *testing.T) {
			s := interrupt(t)
			s.expect(func(op string, n int) answer {
				if op != "complete" || tt.once && n > 1 {
					return answer{}
				}
				return answer{code: tt.code, http: tt.http, late: n == 1}
			})
			err := s.send(t, source(s.bytes))
			s.counts(t, map[string]int{"create": 0, "part": parts - 3, "abort": 0})
			if !tt.once {
				is(t, err, remote.ErrTemporary)
				s.expect(nil)
				err = s.send(t, source(s.bytes))
				s.counts(t, map[string]int{"create": 0, "part": 0, "complete": 0, "abort": 0})
			}
			must(t, err)
			s.arrived(t, s.bytes)
		})
	}
}

// TestPartsAreRefused has a server that is crowded now and then: no part is given up, and none that arrived
// travels again.
func TestPartsAreRefused(t *testing.T) {
	s := &interrupted{
		diary: tempDiary(t), bytes: content((parts-1)*minPartSize + 1000),
		proxy: newProxy(t, with(scratch(t), "upload_cutoff=0", "chunk_size=5M")),
	}
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	s.expect(func(op string, n int) answer {
		if op == "part" && n%2 == 1 {
			return answer{code: "SlowDown", http: http.StatusServiceUnavailable}
		}
		return answer{}
	})
	must(t, c.Send(t.Context(), "d/big", source(s.bytes)))
	s.counts(t, map[string]int{"create": 1, "part": 2 * parts, "complete": 1, "abort": 0})
	if n := c.Throttled(); n != parts {
		t.Errorf("the engine hears of %d refusals, of %d", n, parts)
	}
	if n := c.Throttled(); n != 0 {
		t.Errorf("and again of %d", n)
	}
	s.arrived(t, s.bytes)
}

// The same after a crash between completion and its being remembered.
func TestCompletedThenKilled(t *testing.T) {
	for _, changed := range []bool{false, true} {
		s := interrupt(t)
		must(t, s.send(t, source(s.bytes[:len(s.bytes):len(s.bytes)])))
		var kept *remote.Upload
		// A diary that has not seen the end.
		s2 := interrupt(t)
		full := &blindDiary{diary: s2.diary}
		c := dial(t, backends.Config{Remote: s2.remote, Uploads: full})
		must(t, c.Send(t.Context(), "d/big", source(s2.bytes)))
		if kept = s2.diary.all["d/big"]; kept == nil || len(kept.Parts) != parts {
			t.Fatalf("remembered: %+v", kept)
		}
		s2.expect(nil)
		if changed {
			s2.bytes[3] ^= 1
			is(t, s2.send(t, source(s2.bytes)), remote.ErrTemporary)
			s2.expect(nil)
			must(t, s2.send(t, source(s2.bytes)))
			s2.counts(t, map[string]int{"create": 1, "part": parts})
		} else {
			must(t, s2.send(t, source(s2.bytes)))
			s2.counts(t, map[string]int{"create": 0, "part": 0, "complete": 0, "head": 1})
		}
		s2.arrived(t, s2.bytes)
	}
}

// blindDiary is killed before it writes the end of an upload.
type blindDiary struct{ *diary }

func (b *blindDiary) EndUpload(string) error { return nil }

// TestIntent crashes between the creation of an upload and its being remembered.
func TestIntent(t *testing.T) {
	s := interrupt(t)
	s.expect(func(op string, _ int) answer { return answer{lose: op == "create"} })
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	must(t, c.Cleanup(t.Context(), "d/big"))
	if err := c.Send(t.Context(), "d/big", source(s.bytes)); err == nil {
		t.Fatal("no answer, and no error")
	}
	if u := s.diary.all["d/big"]; u == nil || u.ID != "" {
		t.Fatalf("remembered: %+v", u)
	}
	// What somebody else uploads to another key is not ours.
	key := c.at.Named("d/bigger")
	s.expect(nil)
	other, err := c.client.Create(t.Context(), &client.Object{Address: key})
	must(t, err)
	must(t, s.send(t, source(s.bytes)))
	if s.seen()["abort"] < 1 {
		t.Errorf("the upload that nobody knew was not aborted: %v", s.seen())
	}
	must(t, c.client.Abort(t.Context(), other))
	_, err = c.client.Parts(t.Context(), other)
	if !client.NoSuchUpload(err) {
		t.Errorf("somebody else's upload: %v", err)
	}
	s.arrived(t, s.bytes)
}

func TestStrangersUploadStays(t *testing.T) {
	s := interrupt(t)
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	key := c.at.Named("d/bigger")
	other, err := c.client.Create(t.Context(), &client.Object{Address: key})
	must(t, err)
	s.diary.all["d/big"].ID = "" // only an intent
	must(t, c.Cleanup(t.Context(), "d/big"))
	if _, err := c.client.Parts(t.Context(), other); err != nil {
		t.Errorf("somebody else's upload was aborted: %v", err)
	}
	must(t, c.client.Abort(t.Context(), other))
	s.noUploads(t)
}

// TestExpire opens a remote with an upload that nobody went on with.
func TestExpire(t *testing.T) {
	s := interrupt(t)
	s.diary.all["d/big"].Last = time.Now().Add(-2 * time.Hour)
	dial(t, backends.Config{Remote: s.remote, Uploads: s.diary, UploadAge: 3 * time.Hour})
	s.counts(t, map[string]int{"abort": 0})
	dial(t, backends.Config{Remote: s.remote, Uploads: s.diary, UploadAge: time.Hour})
	s.counts(t, map[string]int{"abort": 1})
	if len(s.diary.all) > 0 {
		t.Errorf("remembered: %v", s.diary.all)
	}
	s.noUploads(t)
}

// A source that turns out to have changed is not completed, and nothing is remembered of it for good.
func TestTornWhileSending(t *testing.T) {
	s := interrupt(t)
	src := source(s.bytes)
	src.FailAt, src.FailWith = len(s.bytes)-1, snapshot.ErrChanged
	is(t, s.send(t, src), snapshot.ErrChanged)
	s.counts(t, map[string]int{"complete": 0})
	if _, err := download(t, s.remote, "d/big"); err == nil {
		t.Error("a torn file is visible")
	}
	must(t, s.send(t, source(s.bytes)))
	s.arrived(t, s.bytes)
}

// TestNobodyRemembers is a Send without a memory: what fails is aborted.
func TestNobodyRemembers(t *testing.T) {
	s := interrupt(t)
	c := dial(t, backends.Config{Remote: s.remote})
	must(t, dial(t, backends.Config{Remote: s.remote, Uploads: s.diary}).Cleanup(t.Context(), "d/big"))
	s.expect(func(op string, n int) answer { return answer{cut: op == "part" && n > 2} })
	if err := c.Send(t.Context(), "d/big", source(s.bytes)); err == nil {
		t.Fatal("a send worked although its connection broke")
	}
	s.noUploads(t)
}

// TestCancelledKeepsParts ends a Send in its middle.
func TestCancelledKeepsParts(t *testing.T) {
	s := interrupt(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.expect(func(op string, n int) answer {
		if op == "part" && n == 2 {
			cancel()
			return answer{cut: true} // a server that worked on would link it into what is completed meanwhile
		}
		return answer{}
	})
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	if err := c.Send(ctx, "d/big", source(s.bytes)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	s.counts(t, map[string]int{"abort": 0, "create": 0})
	before := len(s.diary.all["d/big"].Parts)
	if before < 4 {
		t.Errorf("%d parts are remembered", before)
	}
	s.expect(nil)
	must(t, s.send(t, source(s.bytes)))
	if again := s.seen()["part"]; again > parts-4 {
		t.Errorf("%d parts were sent again", again)
	}
	s.arrived(t, s.bytes)
}

// TestUploadVanishes aborts the upload while it is being sent: a lifecycle rule, or a person.
func TestUploadVanishes(t *testing.T) {
	for _, op := range []string{"part", "complete"} {
		s := interrupt(t)
		c := dial(t, backends.Config{Remote: s.direct}) // the proxy is busy with the request
		s.expect(func(now string, n int) answer {
			if now == op && n == 1 {
				if err := c.client.AbortSince(context.Background(), c.at.Named("d/big"), s.diary.all["d/big"].Began); err != nil {
					t.Error(err)
				}
			}
			return answer{}
		})
		err := s.send(t, source(s.bytes))
		is(t, err, remote.ErrTemporary)
		if client.NoSuchUpload(err) && len(s.diary.all) > 0 {
			t.Errorf("remembered after %v: %v", err, s.diary.all)
		}
		s.expect(nil)
		must(t, s.send(t, source(s.bytes)))
		s.arrived(t, s.bytes)
	}
}
