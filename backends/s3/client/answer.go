package client

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/snapsync/snapsync/engine/remote"
)

// errNoS3 is what a success is turned into that no S3 server would give, such as the page of a captive portal, a proxy or
// a web console. It is remote.ErrOffline: the remote itself was not reached.
var errNoS3 = fmt.Errorf("%w: what answers is no S3 server", remote.ErrOffline)

// strict is a transport that lets no answer pass which is none of S3's. All requests go through it. The SDK takes any
// document for the one that it asked for, and one without the elements that it knows for an empty listing.
type strict struct{ http.RoundTripper }

func (s strict) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := judge(middleware.GetOperationName(r.Context()), answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// CloseIdleConnections is what http.Client asks of its transport.
func (s strict) CloseIdleConnections() {
	if t, ok := s.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// judge returns an error for an answer to an operation that no S3 server gives.
func judge(operation string, answer *http.Response) error {
	status := answer.StatusCode
	switch {
	case status == http.StatusNetworkAuthenticationRequired:
		return fmt.Errorf("%w: the network asks for a login", errNoS3)
	case status >= 300 && status < 400 && status != http.StatusNotModified:
		return judgeRedirect(operation, answer)
	case status < 200 || status >= 300 || operation == "HeadBucket":
		return nil
	case operation == "HeadObject" || operation == "GetObject":
		return judgeObject(answer)
	}
	return judgeDocument(operation, answer)
}

// judgeRedirect tells S3's own redirects, to another region, from a portal's to its page.
func judgeRedirect(operation string, answer *http.Response) error {
	if answer.Header.Get("X-Amz-Bucket-Region") != "" {
		return nil
	}
	if !strings.HasPrefix(operation, "Head") {
		if root, err := peek(answer); root == "Error" || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: HTTP status %d leads to %.200q", errNoS3, answer.StatusCode, answer.Header.Get("Location"))
}

// judgeObject judges an object, whose content may be anything, a page as well. S3 tells an ETag; where a proxy has taken
// that away, metadata is left.
func judgeObject(answer *http.Response) error {
	own, tagged := false, answer.Header.Get("ETag") != ""
	for name := range answer.Header {
		own = own || strings.HasPrefix(name, "X-Amz-")
		tagged = tagged || strings.HasPrefix(name, "X-Amz-Meta-")
	}
	if !tagged || isPage(answer) && !own {
		return fmt.Errorf("%w: it has %s where an object is due", errNoS3, kindOf(answer))
	}
	return nil
}

// judgeDocument judges what is to be a document, or nothing.
func judgeDocument(operation string, answer *http.Response) error {
	want := documents[operation]
	root, err := peek(answer)
	switch {
	case err != nil:
		return err
	case root == want || root == "Error": // of which the SDK makes an error
		return nil
	case root != "" && want != listing && root+"Result" == want: // gofakes3, which `rclone serve s3` is made of
		return nil
	case want == "" && root != notXML && !isPage(answer) && !strings.EqualFold(root, "html"):
		return nil // nobody asks what it says
	case want == "":
		return fmt.Errorf("%w: it has %s for an answer", errNoS3, kindOf(answer))
	case root != "" || want == listing:
		return fmt.Errorf("%w: it has %s where a %s is due", errNoS3, kindOf(answer), want)
	case want == "DeleteResult":
		return errSilent
	}
	return nil // those see it who need what it would say
}

// errSilent means that a success says nothing of what was done.
var errSilent = fmt.Errorf("%w: the server says nothing of what it did", remote.ErrTemporary)

const listing = "ListBucketResult"

// documents are the roots of what S3 answers operations with that it does not answer with nothing.
var documents = map[string]string{
	"ListObjects": listing, "ListObjectsV2": listing,
	"ListParts": "ListPartsResult", "ListMultipartUploads": "ListMultipartUploadsResult",
	"CreateMultipartUpload": "InitiateMultipartUploadResult", "CompleteMultipartUpload": "CompleteMultipartUploadResult",
	"CopyObject": "CopyObjectResult", "UploadPartCopy": "CopyPartResult", "DeleteObjects": "DeleteResult",
}

func isPage(answer *http.Response) bool {
	t := strings.ToLower(answer.Header.Get("Content-Type"))
	return strings.HasPrefix(t, "text/html") || strings.HasPrefix(t, "application/xhtml")
}

// kindOf says for people what an answer is.
func kindOf(answer *http.Response) string {
	if isPage(answer) {
		return "a web page"
	}
	if t := answer.Header.Get("Content-Type"); t != "" {
		return fmt.Sprintf("content of type %.60q", t)
	}
	return "something else"
}

const (
	notXML = "!"      // what peek calls the root of what is no XML
	prolog = 64 << 10 // more than comes before a root
)

// peek returns the name of the root of an answer's document, "" if it says nothing. The body can be read from its
// beginning afterwards. A server may think for long before it says anything but blanks, so only ctx bounds the wait.
func peek(answer *http.Response) (root string, err error) {
	var read bytes.Buffer
	in := &io.LimitedReader{R: answer.Body, N: prolog}
	root, err = rootOf(io.TeeReader(in, &read))
	answer.Body = rewound{io.MultiReader(&read, answer.Body), answer.Body}
	return root, err
}

// rewound is a body of which a part was read.
type rewound struct {
	io.Reader
	io.Closer
}

// rootOf returns the name of a document's root, "" for nothing but blanks. An error is that of in.
func rootOf(in io.Reader) (string, error) {
	d := xml.NewDecoder(in)
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for some := false; ; {
		token, err := d.Token()
		var syntax *xml.SyntaxError
		switch {
		case errors.Is(err, io.EOF) && !some:
			return "", nil
		case errors.Is(err, io.EOF), errors.As(err, &syntax):
			return notXML, nil
		case err != nil:
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name.Local, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return notXML, nil
			}
		default:
			some = true
		}
	}
}
