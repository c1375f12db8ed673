package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fserrors"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/snapshot"
)

var classes = []error{
	engine.ErrOffline, engine.ErrNotFound, engine.ErrCannotMove, engine.ErrNotEmpty, engine.ErrPermission,
	engine.ErrQuota, engine.ErrInvalidName, engine.ErrTemporary, engine.ErrFatal, snapshot.ErrChanged,
}

// classify wraps err with the engine's class that fits it, if one does, and with the context's error
// if that is why the call ended. It is the only place where errors get a class.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) {
		return err
	}
	class := ctx.Err()
	if class == nil {
		class = classOf(err)
	}
	if class == nil || errors.Is(err, class) {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}

// classOf tries the most certain evidence first: rclone's own errors, then the system's, then what a
// protocol said, and the network last, because nearly everything can look like its failure.
func classOf(err error) error {
	for _, class := range []func(error) error{ofRclone, ofSystem, ofText, ofStatus, ofNetwork} {
		if c := class(err); c != nil {
			return c
		}
	}
	if fserrors.IsFatalError(err) {
		return engine.ErrFatal
	}
	return nil
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

func ofRclone(err error) error {
	switch {
	case isAny(err, fs.ErrorObjectNotFound, fs.ErrorDirNotFound, fs.ErrorNotAFile):
		return engine.ErrNotFound
	case isAny(err, fs.ErrorCantMove, fs.ErrorCantDirMove, fs.ErrorCantCopy, fs.ErrorDirExists):
		return engine.ErrCannotMove
	case errors.Is(err, fs.ErrorDirectoryNotEmpty):
		return engine.ErrNotEmpty
	case errors.Is(err, fs.ErrorPermissionDenied):
		return engine.ErrPermission
	case isAny(err, fs.ErrorFileNameTooLong, fs.ErrorCantUploadEmptyFiles):
		return engine.ErrInvalidName
	case isAny(err, fs.ErrorNotFoundInConfigFile, fs.ErrorListBucketRequired):
		return engine.ErrFatal
	}
	return nil
}

func ofSystem(err error) error {
	switch {
	case fserrors.IsErrNoSpace(err) || isAny(err, syscall.EDQUOT, syscall.EFBIG):
		return engine.ErrQuota
	case errors.Is(err, os.ErrNotExist):
		return engine.ErrNotFound
	case isAny(err, os.ErrPermission, syscall.EROFS):
		return engine.ErrPermission
	case errors.Is(err, syscall.ENOTEMPTY):
		return engine.ErrNotEmpty
	case errors.Is(err, syscall.EXDEV):
		return engine.ErrCannotMove
	case isAny(err, syscall.ENAMETOOLONG, syscall.EILSEQ):
		return engine.ErrInvalidName
	}
	return nil
}

// phrases are what some libraries leave of an error: its text.
var phrases = []struct {
	text  string // in lower case
	class error
}{
	{"storagequotaexceeded", engine.ErrQuota},
	{"quotaexceeded", engine.ErrQuota},
	{"insufficient_space", engine.ErrQuota},
	{"insufficient storage", engine.ErrQuota},
	{"no space left on device", engine.ErrQuota},
	{"ratelimitexceeded", engine.ErrTemporary},
	{"slowdown", engine.ErrTemporary},
	{"too many requests", engine.ErrTemporary},
	{"unable to authenticate", engine.ErrFatal}, // ssh
	{"knownhosts:", engine.ErrFatal},
	{"couldn't fetch token", engine.ErrFatal},
	{"invalid_grant", engine.ErrFatal},
	{"invalidaccesskeyid", engine.ErrFatal},
	{"signaturedoesnotmatch", engine.ErrFatal},
	{"expiredtoken", engine.ErrFatal},
	{"nosuchbucket", engine.ErrFatal},
	{"keytoolong", engine.ErrInvalidName},
	{"file name too long", engine.ErrInvalidName},
	{"filenametoolong", engine.ErrInvalidName},
	{"ssh_fx_bad_message", engine.ErrInvalidName}, // OpenSSH for ENAMETOOLONG
}

func ofText(err error) error {
	text := strings.ToLower(err.Error())
	for _, p := range phrases {
		if strings.Contains(text, p.text) {
			return p.class
		}
	}
	return nil
}

func ofStatus(err error) error {
	var ftp *textproto.Error
	if errors.As(err, &ftp) {
		return ofFTP(ftp.Code)
	}
	switch status := httpStatus(err); {
	case status == http.StatusNotFound:
		return engine.ErrNotFound
	case status == http.StatusUnauthorized:
		return engine.ErrFatal
	case status == http.StatusForbidden:
		return engine.ErrPermission
	case status == http.StatusInsufficientStorage, status == http.StatusRequestEntityTooLarge:
		return engine.ErrQuota
	case status == http.StatusRequestURITooLong:
		return engine.ErrInvalidName
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status == http.StatusLocked, status >= 500:
		return engine.ErrTemporary
	}
	return nil
}

// ofFTP follows RFC 959, section 4.2. 550 says "not found", "no access" and "not empty" alike.
func ofFTP(code int) error {
	switch {
	case code == 452 || code == 552:
		return engine.ErrQuota
	case code == 530 || code == 532:
		return engine.ErrFatal
	case code == 553:
		return engine.ErrInvalidName
	case code >= 400 && code < 500:
		return engine.ErrTemporary
	}
	return nil
}

// httpStatus returns the status that an error of some client library carries, or 0. They agree on
// nothing but calling it StatusCode, HTTPStatusCode or Code.
func httpStatus(err error) int {
	var with interface{ HTTPStatusCode() int }
	if errors.As(err, &with) {
		return with.HTTPStatusCode()
	}
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() != reflect.Struct {
			continue
		}
		for _, name := range []string{"StatusCode", "HTTPStatusCode", "Code"} {
			f := v.FieldByName(name)
			if f.IsValid() && f.CanInt() && f.Int() >= 400 && f.Int() < 600 {
				return int(f.Int())
			}
		}
	}
	return 0
}

// ofNetwork tells "there is nobody" from "the line broke": only the first means that other requests
// would fail as well.
func ofNetwork(err error) error {
	var (
		op  *net.OpError
		dns *net.DNSError
		any net.Error
	)
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return engine.ErrOffline
	case isAny(err, syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
		syscall.ENETDOWN, syscall.ETIMEDOUT, context.DeadlineExceeded):
		return engine.ErrOffline
	case errors.As(err, &any) && any.Timeout():
		return engine.ErrOffline
	case errors.As(err, &op), isAny(err, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE):
		return engine.ErrTemporary
	}
	return ofNetworkText(err)
}

// ofNetworkText is for errors that were flattened to text on their way.
func ofNetworkText(err error) error {
	text := err.Error()
	for _, phrase := range []string{"connection refused", "no such host", "no route to host", "network is unreachable", "i/o timeout"} {
		if strings.Contains(text, phrase) {
			return engine.ErrOffline
		}
	}
	if fserrors.ShouldRetry(err) || fserrors.IsRetryError(err) ||
		strings.Contains(text, "connection lost") || strings.Contains(text, "connection reset") {
		return engine.ErrTemporary
	}
	return nil
}
