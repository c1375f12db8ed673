package client

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/snapsync/snapsync/backends/s3/options"
)

// TestBucketMadeMeanwhile lets the answer "no such bucket" to one request come after another has made the bucket: it says
// what was so when it was sent, and is no reason to call the bucket gone. A request that is sent later and is
// refused so is one.
func TestBucketMadeMeanwhile(t *testing.T) {
	made := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			made = true
		case !made:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	c := &Client{opt: new(options.Options), at: &options.Location{Bucket: "b"}, log: slog.New(slog.DiscardHandler)}
	c.sdk = s3.New(s3.Options{BaseEndpoint: &server.URL, UsePathStyle: true, Region: "us-east-1", Credentials: aws.AnonymousCredentials{}})
	missing := &smithy.GenericAPIError{Code: "NoSuchBucket"}

	late := 0
	err := c.InBucket(t.Context(), "b", func() error {
		if late++; late > 1 {
			return nil
		}
		early := 0
		if err := c.InBucket(t.Context(), "b", func() error {
			if early++; early > 1 {
				return nil
			}
			return missing
		}); err != nil {
			t.Errorf("the request that makes the bucket: %v", err)
		}
		return missing
	})
	if err != nil || late != 2 {
		t.Errorf("the request that is answered late: %v after %d attempts", err, late)
	}
	if there, known := c.Bucket(); !there || !known {
		t.Errorf("the bucket is there: %v, known: %v", there, known)
	}

	made = false
	if err := c.InBucket(t.Context(), "b", func() error { return missing }); !errors.Is(err, missing) || made {
		t.Errorf("after the bucket was removed: %v, made anew: %v", err, made)
	}
}
