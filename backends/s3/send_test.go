package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/pool"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/upload"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestLooksLikeRclones writes the same files through rclone and compares everything that the server
// tells about them, but for the time.
func TestLooksLikeRclones(t *testing.T) {
	for name, tt := range map[string]struct {
		options []string
		size    int
		sum     bool // an MD5 is asked for, which the generic Connection cannot give
	}{
		"Small":    {size: 100},
		"Empty":    {},
		"Class":    {size: 100, options: []string{"storage_class=STANDARD", "acl=private"}},
		"Parts":    {size: 11 << 20, options: []string{"upload_cutoff=5M", "chunk_size=5M"}},
		"PartsMD5": {size: 11 << 20, options: []string{"upload_cutoff=5M", "chunk_size=5M", "disable_checksum=false"}, sum: true},
	} {
		t.Run(name, func(t *testing.T) {
			remote := with(scratch(t), tt.options...)
			ours := dial(t, backends.Config{Remote: remote + "/ours"})
			theirs, err := backends.Open(t.Context(), config(t, backends.Config{Remote: remote + "/theirs", Generic: true}))
			must(t, err)
			defer theirs.Close()
			for _, path := range []string{"a.txt", "d/é b?.jpeg", "x.rclonelink", "none"} {
				src := source(content(tt.size))
				must(t, ours.Send(t.Context(), path, src))
				must(t, theirs.Send(t.Context(), path, src))
				at := ours.at.Named(rclone.Encode(path))
				a, err := ours.client.Head(t.Context(), at)
				must(t, err)
				at.Key = strings.Replace(at.Key, "/ours/", "/theirs/", 1)
				b, err := ours.client.Head(t.Context(), at)
				must(t, err)
				if tt.sum {
					if want := base64.StdEncoding.EncodeToString(md5Of(src.Content)); a.Metadata["md5chksum"] != want {
						t.Errorf("%q: the MD5 is %s, want %s", path, a.Metadata["md5chksum"], want)
					}
					delete(a.Metadata, "md5chksum")
				}
				if diff := cmp.Diff(looks(b), looks(a)); diff != "" {
					t.Errorf("%q, rclone's and ours: %s", path, diff)
				}
			}
		})
	}
}

// looks is all that a server tells about an object, but for the time.
func looks(h *s3.HeadObjectOutput) map[string]any {
	return map[string]any{
		"metadata": h.Metadata, "type": h.ContentType, "etag": h.ETag, "size": h.ContentLength, "class": h.StorageClass,
		"encoding": h.ContentEncoding, "disposition": h.ContentDisposition, "cache": h.CacheControl, "language": h.ContentLanguage,
		"encryption": h.ServerSideEncryption, "expires": h.ExpiresString, "lock": h.ObjectLockMode, "tags": h.TagCount,
	}
}

// TestRcloneReads looks at our objects with rclone, and at rclone's with ours.
func TestRcloneReads(t *testing.T) {
	remote := scratch(t)
	ours := dial(t, backends.Config{Remote: remote})
	f, err := fs.NewFs(t.Context(), remote+"/")
	must(t, err)
	for _, path := range []string{"a", "d/e/\x01 ctl", "d/\xff", "‛／", "trailing ", "+&=%20"} {
		must(t, ours.Send(t.Context(), path, source([]byte(path))))
		o, err := f.NewObject(t.Context(), rclone.Encode(path))
		must(t, err)
		if !o.ModTime(t.Context()).Equal(day) || o.Size() != int64(len(path)) {
			t.Errorf("%q: rclone sees %v, %d bytes", path, o.ModTime(t.Context()), o.Size())
		}
		_, ourSum, err := ours.Hash(t.Context(), path, md5Type)
		must(t, err)
		if sum, err := o.Hash(t.Context(), 1); err != nil || sum != fmt.Sprintf("%x", ourSum[:]) {
			t.Errorf("%q: rclone's hash is %s, %v, ours %x", path, sum, err, ourSum)
		}
	}
}

// TestRequests counts what each call costs.
func TestRequests(t *testing.T) {
	p := newProxy(t, scratch(t))
	c := dial(t, backends.Config{Remote: p.remote, Uploads: tempDiary(t)})
	e := snapshot.Entry{Kind: snapshot.File, Size: 3, Mtime: day.UnixNano()}
	later := e
	later.Mtime += 1e9
	for _, tt := range []struct {
		name string
		call func() error
		want map[string]int
	}{
		{"send", func() error { return c.Send(t.Context(), "a", enginetest.Text("abc", day)) }, map[string]int{"put": 1}},
		{"send again", func() error { return c.Send(t.Context(), "a", enginetest.Text("abd", day)) }, map[string]int{"put": 1}},
		{"stat", func() error { _, err := c.Stat(t.Context(), "a"); return err }, map[string]int{"head": 1}},
		{"copy", func() error { return c.Copy(t.Context(), "a", "b", later, nil) }, map[string]int{"head": 1, "copy": 1}},
		{"touch", func() error { return c.Touch(t.Context(), "a", later, nil) }, map[string]int{"head": 1, "copy": 1}},
		{"touch again", func() error { return c.Touch(t.Context(), "a", later, nil) }, map[string]int{"head": 1}},
		{"cleanup", func() error { return c.Cleanup(t.Context(), "a") }, map[string]int{}},
		{"probe", func() error { return c.Probe(t.Context()) }, map[string]int{"list": 1}},
		{"list", func() error { return c.List(t.Context(), func(remote.Object) error { return nil }) }, map[string]int{"list": 1}},
		{"delete", func() error { return errors.Join(c.Delete(t.Context(), []string{"a", "b", "c"})...) }, map[string]int{"delete all": 1}},
	} {
		p.expect(nil)
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := p.seen(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s cost %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestDeleteInBatches(t *testing.T) {
	p := newProxy(t, scratch(t))
	c := dial(t, backends.Config{Remote: p.remote})
	paths := make([]string, 1000)
	for i := range paths {
		paths[i] = fmt.Sprintf("d%d/f%d", i%3, i)
	}
	paths[7], paths[8] = "d/\x01", "d/\xff" // not in XML
	each(paths, func(i int) {
		if err := c.Send(t.Context(), paths[i], enginetest.Text("x", day)); err != nil {
			t.Error(err)
		}
	})
	p.expect(nil)
	must(t, errors.Join(c.Delete(t.Context(), paths)...))
	if got := p.seen(); got["delete all"] != 1 || got["delete"] > 2 {
		t.Errorf("it took %v", got)
	}
	must(t, c.List(t.Context(), func(r remote.Object) error { t.Errorf("%q is left", r.Path); return nil }))
}

// TestDeleteOneByOne is a server that does not delete in batches.
func TestDeleteOneByOne(t *testing.T) {
	p := newProxy(t, scratch(t))
	c := dial(t, backends.Config{Remote: p.remote})
	for _, path := range []string{"a", "b"} {
		must(t, c.Send(t.Context(), path, enginetest.Text("x", day)))
	}
	p.expect(func(op string, _ int) answer {
		if op == "delete all" {
			return answer{code: "NotImplemented", http: http.StatusNotImplemented}
		}
		return answer{}
	})
	must(t, errors.Join(c.Delete(t.Context(), []string{"a", "missing"})...))
	must(t, errors.Join(c.Delete(t.Context(), []string{"b"})...))
	if got := p.seen(); got["delete all"] > 3 || got["delete"] != 3 {
		t.Errorf("it took %v", got)
	}
	must(t, c.List(t.Context(), func(r remote.Object) error { t.Errorf("%q is left", r.Path); return nil }))
}

// TestBadDays lets the server fail in the ways that it documents.
func TestBadDays(t *testing.T) {
	big := content(11 << 20)
	for _, tt := range []struct {
		code   string
		status int
		class  error // of what is left when it does not stop
	}{
		{"SlowDown", 503, remote.ErrTemporary},
		{"InternalError", 500, remote.ErrTemporary},
		{"RequestTimeout", 400, remote.ErrTemporary},
		{"AccessDenied", 403, remote.ErrPermission},
		{"QuotaExceeded", 403, remote.ErrQuota},
		{"InvalidAccessKeyId", 403, remote.ErrFatal},
		{"SignatureDoesNotMatch", 403, remote.ErrFatal},
		{"KeyTooLongError", 400, remote.ErrInvalidName},
		{"", 507, remote.ErrQuota},
	} {
		t.Run(tt.code, func(t *testing.T) {
			p := newProxy(t, with(scratch(t), "upload_cutoff=5M"))
			c := dial(t, backends.Config{Remote: p.remote, Uploads: tempDiary(t)})
			code := tt.code
			if code == "" {
				code = "Unheard"
			}
			p.expect(func(op string, n int) answer { return answer{code: code, http: tt.status} })
			is(t, c.Send(t.Context(), "small", enginetest.Text("x", day)), tt.class)
			is(t, c.Send(t.Context(), "big", source(big)), tt.class)
			if tt.status >= 500 { // the answer to a HEAD is nothing but a status
				is(t, c.Copy(t.Context(), "a", "b", snapshot.Entry{Kind: snapshot.File}, nil), tt.class)
			}
			is(t, errors.Join(c.Delete(t.Context(), []string{"a"})...), tt.class)
			is(t, c.List(t.Context(), func(remote.Object) error { return nil }), tt.class)
			if errors.Is(tt.class, remote.ErrTemporary) {
				// One that passes is not even noticed.
				p.expect(func(op string, n int) answer {
					if n%2 == 1 {
						return answer{code: code, http: tt.status}
					}
					return answer{}
				})
				must(t, c.Send(t.Context(), "small", enginetest.Text("x", day)))
				must(t, c.Send(t.Context(), "big", source(big)))
			}
		})
	}
}

func md5Of(b []byte) []byte { sum := md5.Sum(b); return sum[:] }

// TestLinesBreak cuts connections in the middle of requests.
func TestLinesBreak(t *testing.T) {
	p := newProxy(t, with(scratch(t), "upload_cutoff=5M"))
	c := dial(t, backends.Config{Remote: p.remote, Uploads: tempDiary(t)})
	p.expect(func(_ string, n int) answer { return answer{cut: n == 1} })
	must(t, c.Send(t.Context(), "small", enginetest.Text("x", day)))
	big := content(11 << 20)
	must(t, c.Send(t.Context(), "big", source(big)))
	got, err := download(t, p.remote, "big")
	must(t, err)
	if !bytes.Equal(got, big) {
		t.Error("other bytes arrived")
	}
}

func TestOffline(t *testing.T) {
	began := time.Now()
	target := with(scratch(t), "endpoint='http://127.0.0.1:1'")
	_, err := backends.Open(t.Context(), config(t, backends.Config{Remote: target}))
	is(t, err, remote.ErrOffline)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("that nobody is there took %v", took)
	}
}

func TestWhatIsWrong(t *testing.T) {
	target := scratch(t)
	open := func(remote string) error {
		c, err := backends.Open(t.Context(), config(t, backends.Config{Remote: remote}))
		if err == nil {
			err = errors.Join(c.Send(t.Context(), "a", enginetest.Text("x", day)), c.Close())
		}
		return err
	}
	for name, tt := range map[string]struct {
		remote string
		class  error
		text   string
	}{
		"key id": {with(target, "access_key_id=nobody"), remote.ErrFatal, "check access_key_id"},
		"secret": {with(target, "secret_access_key=wrong"), remote.ErrFatal, "check secret_access_key"},
		"bucket": {with(strings.Replace(target, ":snapsync/", ":nobody-has-this/", 1), "no_check_bucket=true"), remote.ErrFatal, "make the bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(tt.remote)
			is(t, err, tt.class)
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v does not say: %s", err, tt.text)
			}
		})
	}
}

// TestMakesBucket sends into a bucket that does not exist yet.
func TestMakesBucket(t *testing.T) {
	bucket := "snapsync-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + fmt.Sprint(time.Now().UnixNano())
	name, _, _ := strings.Cut(server(t), ":")
	target := name + ":" + bucket
	c := dial(t, backends.Config{Remote: target + "/d"})
	t.Cleanup(func() {
		f, err := fs.NewFs(context.Background(), target)
		if err == nil {
			err = errors.Join(f.Features().Purge(context.Background(), ""))
		}
		if err != nil {
			t.Logf("purge: %v", err)
		}
	})
	must(t, c.List(t.Context(), func(remote.Object) error { return errors.New("something is there") }))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if err := c.Send(t.Context(), fmt.Sprint(i), enginetest.Text("x", day)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	must(t, c.List(t.Context(), func(remote.Object) error { n++; return nil }))
	if n != 4 {
		t.Errorf("%d files are there", n)
	}
}

// TestMemoryIsBounded sends more than fits, in many files at once, and looks at what is used.
func TestMemoryIsBounded(t *testing.T) {
	c := dial(t, backends.Config{Remote: with(scratch(t), "upload_cutoff=20M"), Uploads: tempDiary(t)})
	budget := buffer.NewBudget(24 << 20)
	var err error
	c.budget = budget
	c.sender, err = upload.NewSender(c.client, c.opt, budget, tempDiary(t), c.log)
	must(t, err)
	stop := make(chan struct{})
	most := make(chan int)
	go func() {
		peak := 0
		for {
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, pool.Global().InUse())
			}
		}
	}()
	b := content(60 << 20)
	each(make([]int, 8), func(i int) {
		if err := c.Send(t.Context(), fmt.Sprint(i), source(b[:len(b)-(i%3)*(24<<20)])); err != nil {
			t.Error(err)
		}
	})
	close(stop)
	if peak := <-most; peak > 24 || peak < 5 {
		t.Errorf("%d MiB were in use at once, the budget is 24", peak)
	}
}

// TestFallsBack has options that are left to rclone.
func TestFallsBack(t *testing.T) {
	remote := scratch(t)
	for _, option := range []string{"directory_markers=true", "provider=Alibaba", "use_presigned_request=true", "object_lock_mode=GOVERNANCE", "decompress=true"} {
		c, err := backends.Open(t.Context(), config(t, backends.Config{Remote: with(remote, option)}))
		must(t, err)
		if _, own := c.(*connection); own {
			t.Errorf("%s is understood", option)
		}
		must(t, c.Close())
	}
	for _, option := range []string{"provider=Ceph", "no_check_bucket=true", "chunk_size=16M", "list_version=2", "storage_class=STANDARD"} {
		dial(t, backends.Config{Remote: with(remote, option)})
	}
}
