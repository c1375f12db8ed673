package client

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzPeek looks into an answer of any bytes: those are all there afterwards, and judging them does not fail in another way
// than by an error.
func FuzzPeek(f *testing.F) {
	for _, seed := range []string{
		"", " \n ", "<ListBucketResult/>", `<?xml version="1.0" encoding="UTF-8"?>` + "\n<!-- c --><ListBucketResult xmlns='x'>", "\xef\xbb\xbf<a/>",
		`<?xml version="1.0" encoding="ISO-8859-1"?><DeleteResult/>`, "<!DOCTYPE html><html>", "{}", "<", "<a", "</a>", "text<a/>", "<?xml?><?xml?>",
		"<Error><Code>InternalError</Code></Error>", strings.Repeat(" ", prolog+1) + "<CopyObjectResult/>", "<!--", "<a:b:c/>", "\x00",
	} {
		for _, operation := range []string{"ListObjectsV2", "DeleteObjects", "CopyObject", ""} {
			f.Add(operation, 200, "application/xml", seed)
		}
		f.Add("CopyObject", 301, "", seed)
	}
	f.Fuzz(func(t *testing.T, operation string, status int, contentType, body string) {
		a := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
		err := judge(operation, a)
		rest, readErr := io.ReadAll(a.Body)
		if string(rest) != body || readErr != nil {
			t.Errorf("%d bytes are left of %d, %v", len(rest), len(body), readErr)
		}
		root, _ := rootOf(strings.NewReader(body))
		if want := documents[operation]; status == 200 && err == nil && want == listing && root != want && root != "Error" {
			t.Errorf("%q passes for a %s", body, want)
		}
	})
}

// TestShortRoot has the answer of a server that leaves out the end of a document's name, which the SDK does not look at.
func TestShortRoot(t *testing.T) {
	for operation, want := range map[string]bool{"CreateMultipartUpload": true, "ListObjectsV2": false} {
		root := strings.TrimSuffix(documents[operation], "Result")
		a := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<" + root + "/>"))}
		if err := judge(operation, a); (err == nil) != want {
			t.Errorf("%s: <%s/> is judged %v", operation, root, err)
		}
	}
}
