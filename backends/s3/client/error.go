package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// meaning is what one of a server's error codes means to the engine, and what a person can do about it.
type meaning struct {
	class error
	hint  string
}

var meanings = map[string]meaning{
	"NoSuchBucket":                       {remote.ErrFatal, "make the bucket, or take no_check_bucket out of the remote's configuration"},
	"InvalidAccessKeyId":                 {remote.ErrFatal, "check access_key_id"},
	"XAdminUserNotFound":                 {remote.ErrFatal, "check access_key_id"}, // versitygw
	"SignatureDoesNotMatch":              {remote.ErrFatal, "check secret_access_key"},
	"InvalidToken":                       {remote.ErrFatal, "check session_token"},
	"ExpiredToken":                       {remote.ErrFatal, "get new credentials"},
	"TokenRefreshRequired":               {remote.ErrFatal, "get new credentials"},
	"AccountProblem":                     {remote.ErrFatal, ""},
	"NotSignedUp":                        {remote.ErrFatal, ""},
	"InvalidBucketName":                  {remote.ErrFatal, "a name has 3 to 63 small letters, digits, dots and hyphens"},
	"BucketAlreadyExists":                {remote.ErrFatal, "somebody else has a bucket of this name: choose another"},
	"BucketNameUnavailable":              {remote.ErrFatal, "choose another name"},
	"PermanentRedirect":                  {remote.ErrFatal, "check region and endpoint"},
	"AuthorizationHeaderMalformed":       {remote.ErrFatal, "check region"},
	"IllegalLocationConstraintException": {remote.ErrFatal, "check location_constraint and region"},
	"RequestTimeTooSkewed":               {remote.ErrFatal, "set this machine's clock"},
	"AccessDenied":                       {remote.ErrPermission, ""},
	"AllAccessDisabled":                  {remote.ErrPermission, ""},
	"ObjectLocked":                       {remote.ErrPermission, "it is locked against changes"},
	"InvalidObjectState":                 {remote.ErrPermission, "it is archived: restore it first"},
	"MethodNotAllowed":                   {remote.ErrPermission, ""},
	"QuotaExceeded":                      {remote.ErrQuota, ""},
	"XAmzQuotaExceeded":                  {remote.ErrQuota, ""},
	"XMinioAdminBucketQuotaExceeded":     {remote.ErrQuota, ""},
	"XMinioStorageFull":                  {remote.ErrQuota, ""},
	"InsufficientStorage":                {remote.ErrQuota, ""},
	"EntityTooLarge":                     {remote.ErrQuota, ""},
	"KeyTooLongError":                    {remote.ErrInvalidName, ""},
	"KeyTooLong":                         {remote.ErrInvalidName, ""},
	"XMinioInvalidObjectName":            {remote.ErrInvalidName, ""},
	"XMinioParentIsObject":               {remote.ErrInvalidName, "a file has the name of its directory"},
	"ObjectParentIsFile":                 {remote.ErrInvalidName, "a file has the name of its directory, which this server cannot hold"},
	"ExistingObjectIsDirectory":          {remote.ErrInvalidName, "a directory has this name, and this server cannot hold both"},
	"InvalidURI":                         {remote.ErrInvalidName, ""},
	"NoSuchUpload":                       {remote.ErrTemporary, ""}, // the next attempt begins another
	"NoSuchKey":                          {remote.ErrNotFound, ""},
	"NotFound":                           {remote.ErrNotFound, ""},
	"BadDigest":                          {remote.ErrTemporary, ""},
	"XAmzContentChecksumMismatch":        {remote.ErrTemporary, ""},
	"IncompleteBody":                     {remote.ErrTemporary, ""},
	"RequestTimeout":                     {remote.ErrTemporary, ""},
	"OperationAborted":                   {remote.ErrTemporary, ""},
	"SlowDown":                           {remote.ErrTemporary, ""},
	"TooManyRequests":                    {remote.ErrTemporary, ""},
	"InternalError":                      {remote.ErrTemporary, ""},
	"ServiceUnavailable":                 {remote.ErrTemporary, ""},
}

// Classify gives err the engine's class, and says it shortly. A code of the server counts before what
// rclone.Classify makes of a status or a broken connection.
func Classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = shorten(err)
	if ctx.Err() == nil {
		err = named(code(err), err)
	}
	return rclone.Classify(ctx, err)
}

// shortError is an error of the SDK in fewer words. The SDK says "operation error S3: PutObject, exceeded maximum number
// of attempts, 3, https response error StatusCode: 403, RequestID: , HostID: , api error AccessDenied: Access Denied"
// and, of a request that did not arrive, the address with the key once more.
type shortError struct {
	error
	text string
}

func (b *shortError) Error() string { return b.text }
func (b *shortError) Unwrap() error { return b.error }

// shorten makes of an error that quotes the SDK a shortError.
func shorten(err error) error {
	var short *shortError
	var op *smithy.OperationError
	var one *smithy.GenericAPIError // of a batch
	switch {
	case errors.As(err, &short):
	case errors.As(err, &op):
		return &shortError{err, strings.Replace(err.Error(), op.Error(), essence(op.Err), 1)}
	case errors.As(err, &one):
		return &shortError{err, strings.Replace(err.Error(), one.Error(), essence(one), 1)}
	}
	return err
}

// essence is what the server said, or what became of the request.
func essence(err error) string {
	var api smithy.APIError
	var answer *awshttp.ResponseError
	var request *url.Error
	switch {
	case errors.As(err, &api):
		text := api.ErrorCode()
		if said := api.ErrorMessage(); said != "" && !strings.EqualFold(strings.ReplaceAll(said, " ", ""), text) {
			text += ": " + strings.TrimRight(said, ". ")
		}
		if errors.As(err, &answer) && answer.RequestID != "" {
			text += requestText(answer.RequestID)
		}
		return text
	case errors.As(err, &request):
		return request.Err.Error()
	case errors.As(err, &answer) && answer.Response != nil:
		return fmt.Sprintf("HTTP status %s: %v", answer.Response.Status, answer.Err)
	}
	return err.Error()
}

// named gives an error the class and the hint of its code.
func named(code string, err error) error {
	m, known := meanings[code]
	if !known || errors.Is(err, m.class) {
		return err
	}
	if m.hint != "" {
		return fmt.Errorf("%w: %s: %w", m.class, m.hint, err)
	}
	return fmt.Errorf("%w: %w", m.class, err)
}

// requestText is what a server's operator finds the request by.
func requestText(id string) string { return " (request " + id + ")" }

// code is the name that the server gave its error, or "".
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// status is the HTTP status of the answer, or 0.
func status(err error) int {
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// NotThere reports that there is no object. The answer to a HEAD has no code; a delete marker's status is 405.
func NotThere(err error) bool {
	if c := code(err); c == "NoSuchBucket" || c == "NoSuchUpload" {
		return false
	}
	s := status(err)
	return s == http.StatusNotFound || s == http.StatusMethodNotAllowed
}

func NoSuchBucket(err error) bool { return code(err) == "NoSuchBucket" }

func NoSuchUpload(err error) bool { return code(err) == "NoSuchUpload" }

// Hopeless reports that a server has refused for good: the same upload would be refused again.
func Hopeless(err error) bool {
	switch s := status(err); s {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	case http.StatusNotImplemented:
		return true
	default:
		return s >= 400 && s < 500 && code(err) != "RequestTimeout" && !NoSuchUpload(err)
	}
}

// refused reports that a server does not know an operation.
func refused(err error) bool {
	switch status(err) {
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return true
	}
	switch code(err) {
	case "NotImplemented", "MethodNotAllowed", "MalformedXML":
		return true
	}
	return false
}

// Conflict reports that what is there keeps an object from being made, on servers that keep objects as files.
func Conflict(err error) bool {
	return status(err) == http.StatusConflict || code(err) == "XMinioParentIsObject"
}
