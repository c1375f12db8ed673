package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// portals are answers of what is no S3 server.
var portals = map[string]func(do func() reply) reply{
	"page": func(func() reply) reply {
		return reply{header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "X-Amz-Request-Id": {"x"}}, body: "<!DOCTYPE html><title>Log in</title><p>please"}
	},
	"well-formed page": func(func() reply) reply { return reply{body: "<html><body>please log in</body></html>"} },
	"text": func(func() reply) reply {
		return reply{header: http.Header{"Content-Type": {"text/plain"}}, body: "please log in"}
	},
	"JSON": func(func() reply) reply {
		return reply{header: http.Header{"Content-Type": {"application/json"}}, body: "{}"}
	},
	"redirect": func(func() reply) reply {
		return reply{status: http.StatusFound, header: http.Header{"Location": {"http://portal/"}, "X-Amz-Request-Id": {"x"}}}
	},
	"login": func(func() reply) reply {
		return reply{status: http.StatusNetworkAuthenticationRequired, body: "<html/>"}
	},
}

// lies are answers of an S3 server that say little, or what is not so.
var lies = map[string]func(do func() reply) reply{
	"nothing done, nothing said": func(func() reply) reply { return reply{} },
	"nothing said":               func(do func() reply) reply { do(); return reply{} },
	"no ETag": func(do func() reply) reply {
		a := do()
		if a.header.Del("Etag"); strings.Contains(a.body, "<ETag>") {
			a.body = a.body[:strings.Index(a.body, "<ETag>")] + a.body[strings.Index(a.body, "</ETag>")+len("</ETag>"):]
		}
		return a
	},
	"other key": func(do func() reply) reply {
		a := do()
		a.body = strings.Replace(a.body, "<Key>p/", "<Key>p/another/", 1)
		return a
	},
	"other key deleted": func(do func() reply) reply {
		a := do()
		a.body = strings.Replace(a.body, "<DeleteResult>", "<DeleteResult><Deleted><Key>p/another</Key></Deleted>", 1)
		return a
	},
	"other key failed": func(func() reply) reply {
		return reply{body: "<DeleteResult><Error><Key>p/another</Key><Code>AccessDenied</Code></Error></DeleteResult>"}
	},
	"some deleted": func(func() reply) reply {
		return reply{body: "<DeleteResult><Deleted><Key>p/d1</Key></Deleted></DeleteResult>"}
	},
	"twice": func(do func() reply) reply { do(); return do() },
}

// change is something that a Connection does, and what the server has to have once it says that this is done.
type change struct {
	name string
	asks string // what it asks for, but for looks
	do   func(c *connection) error
	done func(objects map[string]object) bool
}

// big is sent, and copied, in parts.
var big = content(5<<20 + 17)

func changes(t *testing.T) []change {
	later := entryOf(int64(len(big)), day.Add(time.Hour))
	has := func(key string, want []byte, mtime time.Time) func(map[string]object) bool {
		return func(objects map[string]object) bool {
			o, ok := objects["p/"+key]
			return ok && bytes.Equal(o.content, want) && strings.HasPrefix(o.meta.Get("X-Amz-Meta-Mtime"), fmt.Sprint(mtime.Unix()))
		}
	}
	small := entryOf(3, day.Add(time.Hour))
	return []change{
		{"send", "put", func(c *connection) error { return c.Send(t.Context(), "new", enginetest.Text("abc", day)) }, has("new", []byte("abc"), day)},
		{"send empty", "put", func(c *connection) error { return c.Send(t.Context(), "new", enginetest.Text("", day)) }, has("new", nil, day)},
		{"replace", "put", func(c *connection) error { return c.Send(t.Context(), "small", enginetest.Text("ABC", day)) }, has("small", []byte("ABC"), day)},
		{"send in parts", "create, part, complete", func(c *connection) error { return c.Send(t.Context(), "big2", source(big)) }, has("big2", big, day)},
		{"copy", "copy", func(c *connection) error { return c.Copy(t.Context(), "small", "copy", small, nil) }, has("copy", []byte("abc"), day.Add(time.Hour))},
		{"copy in parts", "create, copy part, complete", func(c *connection) error { return c.Copy(t.Context(), "big", "copy", later, nil) }, has("copy", big, day.Add(time.Hour))},
		{"touch", "copy", func(c *connection) error { return c.Touch(t.Context(), "small", small, nil) }, has("small", []byte("abc"), day.Add(time.Hour))},
		{"delete", "delete all, delete", func(c *connection) error { return errors.Join(c.Delete(t.Context(), []string{"d1", "d2"})...) }, func(objects map[string]object) bool {
			return len(objects["p/d1"].content)+len(objects["p/d2"].content) == 0
		}},
		{"delete one by one", "delete", func(c *connection) error { return errors.Join(c.Delete(t.Context(), []string{"c\x01"})...) }, func(objects map[string]object) bool {
			return len(objects["p/c\x01"].content) == 0
		}},
	}
}

func entryOf(size int64, mtime time.Time) snapshot.Entry {
	return snapshot.Entry{Kind: snapshot.File, Size: size, Mtime: mtime.UnixNano()}
}

func filled(t *testing.T) *fake {
	f := newFake(t, "upload_cutoff=5M", "chunk_size=5M", "copy_cutoff=5M")
	meta := http.Header{"X-Amz-Meta-Mtime": {fmt.Sprint(day.Unix())}}
	for key, b := range map[string][]byte{"small": []byte("abc"), "big": big, "d1": []byte("x"), "d2": []byte("y"), "c\x01": []byte("z")} {
		f.objects["p/"+key] = object{b, meta}
	}
	return f
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// TestLies has the server answer one kind of request, or all, with a success that is none, or that says too little. What is
// done is acknowledged only if it is done; and it is done, or an error tells why.
func TestLies(t *testing.T) {
	changing := []string{"put", "create", "part", "complete", "copy", "copy part", "delete", "delete all"}
	for name, lie := range lies {
		for _, at := range changing {
			t.Run(name+"/"+at, func(t *testing.T) {
				for _, ch := range changes(t) {
					if !slices.Contains(strings.Split(ch.asks, ", "), at) {
						continue
					}
					f := filled(t)
					c := f.dial(t, backends.Config{Uploads: tempDiary(t), Log: quiet}, func(op string, do func() reply) reply {
						if op == at {
							return lie(do)
						}
						return do()
					})
					err := ch.do(c)
					lied := f.seen()[at] > 0
					switch done := ch.done(f.truly()); {
					case err == nil && !done:
						t.Errorf("%s: acknowledged, and not done: %v", ch.name, f.seen())
					case err != nil && !lied:
						t.Errorf("%s: %v", ch.name, err)
					case err != nil && done && (name == "nothing said" || name == "no ETag") && at != "create":
						t.Errorf("%s: done, and one look would have shown it: %v", ch.name, err)
					case err != nil && !errors.Is(err, remote.ErrTemporary) && !errors.Is(err, remote.ErrOffline):
						t.Errorf("%s: another attempt may help, and the class does not say so: %v", ch.name, err)
					}
				}
			})
		}
	}
}

// TestPortals has something that is no S3 server answer everything, or one kind of request.
func TestPortals(t *testing.T) {
	for name, lie := range portals {
		t.Run(name, func(t *testing.T) {
			calls := append(changes(t),
				change{name: "list", do: func(c *connection) error { return c.List(t.Context(), func(remote.Object) error { return nil }) }},
				change{name: "stat", do: func(c *connection) error { _, err := c.Stat(t.Context(), "small"); return err }},
				change{name: "hash", do: func(c *connection) error { _, _, err := c.Hash(t.Context(), "small", md5Type); return err }},
				change{name: "probe", do: func(c *connection) error { return c.Probe(t.Context()) }},
			)
			for _, ch := range calls {
				f := filled(t)
				c := f.dial(t, backends.Config{Uploads: tempDiary(t), Log: quiet}, func(string, func() reply) reply { return lie(nil) })
				began := time.Now()
				err := ch.do(c)
				if !errors.Is(err, remote.ErrOffline) {
					t.Errorf("%s: %v", ch.name, err)
				} else if !strings.Contains(err.Error(), "no S3 server") && !strings.Contains(err.Error(), "login") {
					t.Errorf("%s: nothing says what is wrong: %v", ch.name, err)
				}
				if n := f.seen(); time.Since(began) > 3*time.Second || n["list"]+n["put"]+n["head"] > 4 {
					t.Errorf("%s: took %v and %v", ch.name, time.Since(began), n)
				}
			}
			f := filled(t)
			f.lie = func(string, func() reply) reply { return lie(nil) }
			_, err := backends.Open(t.Context(), config(t, backends.Config{Remote: f.remote, Log: quiet}))
			is(t, err, remote.ErrOffline)
		})
	}
}

// TestPageIsContent has pages as objects, which say nothing of the server.
func TestPageIsContent(t *testing.T) {
	f := newFake(t)
	c := f.dial(t, backends.Config{}, nil)
	must(t, c.Send(t.Context(), "index.html", enginetest.Text("<html><body>mine</body></html>", day)))
	f.dial(t, backends.Config{}, func(op string, do func() reply) reply {
		a := do()
		if op == "head" || op == "get" {
			a.header.Set("Content-Type", "text/html")
		}
		return a
	})
	if o, err := c.Stat(t.Context(), "index.html"); err != nil || o.Entry.Size != 30 {
		t.Errorf("%+v, %v", o, err)
	}
	must(t, c.Copy(t.Context(), "index.html", "b", entryOf(30, day), nil))
}

// TestListings has listings that do not end, or tell nonsense.
func TestListings(t *testing.T) {
	one := func(key string, size int) string {
		return fmt.Sprintf("<Contents><Key>p/%s</Key><Size>%d</Size><ETag>x</ETag></Contents>", key, size)
	}
	page := func(more bool, inside string) reply {
		return reply{body: fmt.Sprintf("<ListBucketResult><IsTruncated>%v</IsTruncated>%s</ListBucketResult>", more, inside)}
	}
	next := func(token string) string {
		return "<NextMarker>" + token + "</NextMarker><NextContinuationToken>" + token + "</NextContinuationToken>"
	}
	for name, tt := range map[string]struct {
		page func(n int) reply
		ok   bool
	}{
		"token never changes":        {page: func(int) reply { return page(true, one("a", 1)+next("x")) }},
		"token of no page changes":   {page: func(int) reply { return page(true, next("x")) }},
		"tokens go in circles":       {page: func(n int) reply { return page(true, one(fmt.Sprint("k", n), 1)+next(fmt.Sprint(n%3))) }},
		"first page again and again": {page: func(n int) reply { return page(true, one("a", 1)+one("b", 1)+next(fmt.Sprint(n))) }},
		"empty pages for ever":       {page: func(n int) reply { return page(true, next(fmt.Sprint(n))) }},
		"no token":                   {page: func(int) reply { return page(true, "") }},
		"negative size":              {page: func(int) reply { return page(false, one("a", -5)) }},
		"nothing":                    {page: func(int) reply { return reply{} }},
		"another document":           {page: func(int) reply { return document("ListAllMyBucketsResult") }},
		"not in order":               {page: func(n int) reply { return page(n < 3, one(fmt.Sprint("k", 9-n), 1)+next(fmt.Sprint(n))) }, ok: true},
		"empty page in the middle": {page: func(n int) reply {
			if n == 2 {
				return page(true, next("2"))
			}
			return page(n < 3, one(fmt.Sprint("k", n), 1)+next(fmt.Sprint(n)))
		}, ok: true},
	} {
		for _, version := range []int{1, 2} {
			t.Run(fmt.Sprint(name, " V", version), func(t *testing.T) {
				f, n := newFake(t, fmt.Sprint("list_version=", version)), 0
				c := f.dial(t, backends.Config{Log: quiet}, func(op string, do func() reply) reply {
					if op != "list" {
						return reply{status: http.StatusOK, header: http.Header{"Etag": {`"x-2"`}, "Content-Length": {"1"}}}
					}
					n++
					return tt.page(n)
				})
				var got []string
				err := c.List(t.Context(), func(o remote.Object) error { got = append(got, o.Path); return nil })
				if tt.ok != (err == nil) || tt.ok && len(got) < 2 {
					t.Errorf("%q after %d pages: %v", got, n, err)
				}
			})
		}
	}
}

// TestNames lists keys that are none of ours, or that the listing cannot show.
func TestNames(t *testing.T) {
	f := newFake(t)
	for _, key := range []string{"p/ok", "p/./x", "p/../y", "p/a//b", "p//lead", "p/d/", "p/full/", "other", "p/\ufffd real", "p/uploaded"} {
		f.objects[key] = object{[]byte("x"), http.Header{}}
	}
	c := f.dial(t, backends.Config{Log: quiet}, func(op string, do func() reply) reply {
		a := do()
		if op == "list" {
			a.body = strings.Replace(a.body, "</ListBucketResult>", listed("p/\ufffdx", object{})+"</ListBucketResult>", 1)
		}
		return a
	})
	got := map[string]time.Time{}
	must(t, c.List(t.Context(), func(o remote.Object) error { got[o.Path] = o.Uploaded; return nil }))
	for _, path := range []string{"ok", "\ufffd real", "uploaded"} {
		if at, ok := got[path]; !ok || !at.Equal(day.Truncate(time.Millisecond)) {
			t.Errorf("%q: %v, %v", path, ok, at)
		}
		delete(got, path)
	}
	if len(got) > 0 {
		t.Errorf("listed as well: %v", got)
	}
}

// TestAnother copies and touches what somebody else has replaced, before the look and after.
func TestAnother(t *testing.T) {
	for _, large := range []bool{false, true} {
		f := filled(t)
		path := map[bool]string{false: "small", true: "big"}[large]
		size := int64(len(f.objects["p/"+path].content))
		was, later := entryOf(size, day.Truncate(time.Second)), entryOf(size, day.Add(time.Hour))
		for name, foreign := range map[string]object{
			"size":  {[]byte("other"), http.Header{}},
			"mtime": {content(int(size)), http.Header{"X-Amz-Meta-Mtime": {"5"}}},
		} {
			c := f.dial(t, backends.Config{Uploads: tempDiary(t), Log: quiet}, nil)
			f.objects["p/"+path] = foreign
			is(t, c.Copy(t.Context(), path, "to", later, &was), remote.ErrNotFound)
			is(t, c.Touch(t.Context(), path, later, &was), remote.ErrNotFound)
			if o, made := f.truly()["p/to"]; made {
				t.Errorf("another %s: copied all the same: %.20q", name, o.content)
			}
		}
		// Between look and copy.
		f = filled(t)
		c := f.dial(t, backends.Config{Uploads: tempDiary(t), Log: quiet}, func(op string, do func() reply) reply {
			if strings.HasPrefix(op, "copy") {
				f.objects["p/"+path] = object{bytes.Repeat([]byte("x"), int(size)), http.Header{}}
			}
			return do()
		})
		is(t, c.Copy(t.Context(), path, "to", later, &was), remote.ErrNotFound)
		if _, made := f.truly()["p/to"]; made {
			t.Error("what was replaced after the look was copied")
		}
		f = filled(t)
		c = f.dial(t, backends.Config{Uploads: tempDiary(t), Log: quiet}, nil)
		must(t, c.Copy(t.Context(), path, "to", later, &was))
	}
}
