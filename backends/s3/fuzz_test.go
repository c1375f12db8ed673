package s3

import (
	"net/http"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// FuzzAnswers has a server answer everything with the same. Nothing panics, everything ends, and nothing is acknowledged
// without an ETag or a look.
func FuzzAnswers(f *testing.F) {
	add := func(status int, etag, body string) { f.Add(status, "application/xml", etag, body) }
	for _, etag := range []string{"", `"x"`, `"d41d8cd98f00b204e9800998ecf8427e-2"`} {
		for _, body := range []string{
			"", "<html/>", "<Error><Code>SlowDown</Code></Error>", "<DeleteResult/>", "<CopyObjectResult/>", "<CopyPartResult/>", "<InitiateMultipartUploadResult/>",
			"<InitiateMultipartUploadResult><UploadId>x</UploadId></InitiateMultipartUploadResult>", "<CompleteMultipartUploadResult/>",
			"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "<ListBucketResult><Contents/></ListBucketResult>",
			"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></ListBucketResult>",
			"<ListBucketResult><Contents><Key>p/../../x</Key><Size>99999999999999999999</Size></Contents></ListBucketResult>",
			"<ListPartsResult><IsTruncated>true</IsTruncated><Part/></ListPartsResult>",
		} {
			add(http.StatusOK, etag, body)
		}
	}
	add(http.StatusNoContent, "", "")
	add(http.StatusMovedPermanently, "", "<Error/>")
	f.Fuzz(func(t *testing.T, status int, contentType, etag, body string) {
		status = 200 + (status%200+200)%200 // those above are tried again, which takes time
		if strings.ContainsAny(contentType+etag, "\r\n\x00") || status == http.StatusNoContent && body != "" || status == http.StatusNotModified {
			t.Skip("no HTTP")
		}
		s := newFake(t, "upload_cutoff=5M", "chunk_size=5M", "copy_cutoff=5M")
		c := s.dial(t, backends.Config{Log: quiet}, func(string, func() reply) reply {
			return reply{status: status, header: http.Header{"Content-Type": {contentType}, "Etag": {etag}}, body: body}
		})
		if err := c.Send(t.Context(), "a", enginetest.Text("abc", day)); err == nil && strings.TrimSpace(etag) == "" {
			t.Error("an object without an ETag is acknowledged")
		}
		if err := c.Send(t.Context(), "big", source(big)); err == nil && strings.TrimSpace(etag) == "" {
			t.Error("an object in parts without an ETag is acknowledged")
		}
		_ = c.Copy(t.Context(), "a", "b", entryOf(3, day), nil)
		_ = c.Touch(t.Context(), "a", entryOf(3, day), nil)
		_ = c.Delete(t.Context(), []string{"a", "b"})
		_, _ = c.Stat(t.Context(), "a")
		_, _, _ = c.Hash(t.Context(), "a", md5Type)
		n := 0
		_ = c.List(t.Context(), func(remote.Object) error { n++; return nil })
		if n > 2*len(body) {
			t.Errorf("%d objects in %d bytes", n, len(body))
		}
	})
}
