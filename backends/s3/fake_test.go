package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
)

// fake is an S3 server in memory that says what a test wants.
type fake struct {
	remote string

	mu      sync.Mutex // guards what follows
	objects map[string]object
	uploads map[string]*unfinished
	counts  map[string]int
	lie     func(op string, do func() reply) reply // nil: the truth
}

type object struct {
	content []byte
	meta    http.Header
}

func (o object) etag() string { return fmt.Sprintf(`"%x"`, md5.Sum(o.content)) }

type unfinished struct {
	key   string
	meta  http.Header
	parts map[int][]byte
}

// reply is what the server says.
type reply struct {
	status int
	header http.Header
	body   string
}

func newFake(t testing.TB, options ...string) *fake {
	t.Helper()
	must(t, rclone.Init(t.Context(), rclone.Settings{}))
	f := &fake{objects: map[string]object{}, uploads: map[string]*unfinished{}, counts: map[string]int{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.remote = with(":s3:bucket/p", append([]string{
		"provider=Other", "access_key_id=k", "secret_access_key=s", "force_path_style=true", fmt.Sprintf("endpoint='%s'", s.URL),
	}, options...)...)
	return f
}

// dial opens the remote and has the server lie from then on.
func (f *fake) dial(t testing.TB, cfg backends.Config, lie func(op string, do func() reply) reply) *connection {
	t.Helper()
	cfg.Remote = f.remote
	c := dial(t, cfg)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lie, f.counts = lie, map[string]int{}
	return c
}

// truly has the server tell the truth from now on, and returns what it has.
func (f *fake) truly() map[string]object {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lie = nil
	return maps.Clone(f.objects)
}

func (f *fake) seen() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	op := operation(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	if op == "part" && r.Header.Get("X-Amz-Copy-Source") != "" {
		op = "copy part"
	}
	f.counts[op]++
	do := func() reply { return f.do(op, r, body) }
	a := reply{}
	if f.lie != nil {
		a = f.lie(op, do)
	} else {
		a = do()
	}
	maps.Copy(w.Header(), a.header)
	if w.Header().Get("Content-Type") == "" && a.body != "" {
		w.Header().Set("Content-Type", "application/xml")
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func refuse(status int, code string) reply {
	return reply{status: status, body: "<Error><Code>" + code + "</Code><Message>no</Message></Error>"}
}

// do does what is asked. The caller holds f.mu.
func (f *fake) do(op string, r *http.Request, body []byte) reply {
	q := r.URL.Query()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	u := f.uploads[q.Get("uploadId")]
	if q.Has("uploadId") && u == nil {
		return refuse(http.StatusNotFound, "NoSuchUpload")
	}
	from, found := f.origin(r)
	if strings.HasPrefix(op, "copy") && !found {
		return refuse(http.StatusNotFound, "NoSuchKey")
	}
	if want := r.Header.Get("X-Amz-Copy-Source-If-Match"); want != "" && want != from.etag() {
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed")
	}
	number, _ := strconv.Atoi(q.Get("partNumber"))
	switch op {
	case "put":
		f.objects[key] = object{body, metaOf(r)}
		return reply{header: http.Header{"Etag": {f.objects[key].etag()}}}
	case "copy":
		f.objects[key] = object{from.content, metaOf(r)}
		return document("CopyObjectResult", "ETag", from.etag())
	case "create":
		id := fmt.Sprint("upload", len(f.counts), f.counts[op])
		f.uploads[id] = &unfinished{key, metaOf(r), map[int][]byte{}}
		return document("InitiateMultipartUploadResult", "Key", key, "UploadId", id)
	case "part":
		u.parts[number] = body
		return reply{header: http.Header{"Etag": {object{content: body}.etag()}}}
	case "copy part":
		var first, last int
		_, _ = fmt.Sscanf(r.Header.Get("X-Amz-Copy-Source-Range"), "bytes=%d-%d", &first, &last)
		u.parts[number] = from.content[first : last+1]
		return document("CopyPartResult", "ETag", object{content: u.parts[number]}.etag())
	case "complete":
		delete(f.uploads, q.Get("uploadId"))
		var all [][]byte
		for _, n := range slices.Sorted(maps.Keys(u.parts)) {
			all = append(all, u.parts[n])
		}
		f.objects[key] = object{bytes.Join(all, nil), u.meta}
		return document("CompleteMultipartUploadResult", "Key", key, "ETag", `"whatever-2"`)
	}
	return f.look(op, key, u, q, body)
}

// look does what changes nothing, or removes something.
func (f *fake) look(op, key string, u *unfinished, q url.Values, body []byte) reply {
	switch op {
	case "parts":
		var b strings.Builder
		for _, n := range slices.Sorted(maps.Keys(u.parts)) {
			fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>", n, object{content: u.parts[n]}.etag(), len(u.parts[n]))
		}
		return reply{body: "<ListPartsResult>" + b.String() + "</ListPartsResult>"}
	case "abort":
		delete(f.uploads, q.Get("uploadId"))
		return reply{status: http.StatusNoContent}
	case "delete":
		delete(f.objects, key)
		return reply{status: http.StatusNoContent}
	case "delete all":
		var all struct {
			Object []struct{ Key string }
		}
		_ = xml.Unmarshal(body, &all)
		for _, o := range all.Object {
			delete(f.objects, o.Key)
		}
		return document("DeleteResult")
	case "list":
		return f.list(q)
	case "uploads":
		return document("ListMultipartUploadsResult")
	}
	o, ok := f.objects[key]
	if !ok {
		return reply{status: http.StatusNotFound}
	}
	h := o.meta.Clone()
	h.Set("Etag", o.etag())
	h.Set("Content-Length", strconv.Itoa(len(o.content)))
	h.Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
	return reply{header: h, body: string(o.content)}
}

func (f *fake) list(q url.Values) reply {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		if strings.HasPrefix(key, q.Get("prefix")) {
			b.WriteString(listed(key, f.objects[key]))
		}
	}
	return reply{body: "<ListBucketResult><IsTruncated>false</IsTruncated>" + b.String() + "</ListBucketResult>"}
}

// listed is an object as a listing has it.
func listed(key string, o object) string {
	var name strings.Builder
	_ = xml.EscapeText(&name, []byte(key))
	return fmt.Sprintf("<Contents><Key>%s</Key><Size>%d</Size><ETag>%s</ETag><LastModified>%s</LastModified></Contents>",
		name.String(), len(o.content), o.etag(), day.Format("2006-01-02T15:04:05.000Z"))
}

func (f *fake) origin(r *http.Request) (object, bool) {
	from, _ := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	_, key, _ := strings.Cut(strings.TrimPrefix(from, "/"), "/")
	o, ok := f.objects[key]
	return o, ok
}

func metaOf(r *http.Request) http.Header {
	h := http.Header{}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			h[name] = values
		}
	}
	return h
}

// document is an answer with a root and pairs of elements.
func document(root string, elements ...string) reply {
	var b strings.Builder
	for i := 0; i < len(elements); i += 2 {
		fmt.Fprintf(&b, "<%s>%s</%s>", elements[i], elements[i+1], elements[i])
	}
	return reply{body: "<" + root + ">" + b.String() + "</" + root + ">"}
}
