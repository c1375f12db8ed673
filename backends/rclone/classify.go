package rclone

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

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

var classes = []error{
	remote.ErrOffline, remote.ErrNotFound, remote.ErrCannotMove, remote.ErrNotEmpty, remote.ErrPermission,
	remote.ErrQuota, remote.ErrInvalidName, remote.ErrTemporary, remote.ErrFatal, snapshot.ErrChanged,
}

// Classify wraps err with the engine's class that fits, if one does, or with ctx's error if that ended the call. An error
// that has a class keeps that.
func Classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) {
		return err
	}
	class := ctx.Err()
	if class == nil {
		class = ClassOf(err)
	}
	if class == nil || errors.Is(err, class) {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}

// Wrap gives an error its class and says what was being done.
func Wrap(ctx context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, Classify(ctx, err))...)
}

// ClassOf tries the most certain evidence first: rclone's own errors, then the system's, then what a
// protocol said, and the network last, because nearly everything can look like its failure.
func ClassOf(err error) error {
	for _, class := range []func(error) error{ofRclone, ofSystem, ofText, ofStatus, ofNetwork} {
		if c := class(err); c != nil {
			return c
		}
	}
	if fserrors.IsFatalError(err) {
		return remote.ErrFatal
	}
	return nil
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

func ofRclone(err error) error {
	switch {
	case isAny(err, fs.ErrorObjectNotFound, fs.ErrorDirNotFound, fs.ErrorNotAFile):
		return remote.ErrNotFound
	case isAny(err, fs.ErrorCantMove, fs.ErrorCantDirMove, fs.ErrorCantCopy, fs.ErrorDirExists):
		return remote.ErrCannotMove
	case errors.Is(err, fs.ErrorDirectoryNotEmpty):
		return remote.ErrNotEmpty
	case errors.Is(err, fs.ErrorPermissionDenied):
		return remote.ErrPermission
	case isAny(err, fs.ErrorFileNameTooLong, fs.ErrorCantUploadEmptyFiles):
		return remote.ErrInvalidName
	case isAny(err, fs.ErrorNotFoundInConfigFile, fs.ErrorListBucketRequired):
		return remote.ErrFatal
	}
	return nil
}

func ofSystem(err error) error {
	switch {
	case fserrors.IsErrNoSpace(err) || isAny(err, syscall.EDQUOT, syscall.EFBIG):
		return remote.ErrQuota
	case errors.Is(err, os.ErrNotExist):
		return remote.ErrNotFound
	case isAny(err, os.ErrPermission, syscall.EROFS):
		return remote.ErrPermission
	case errors.Is(err, syscall.ENOTEMPTY):
		return remote.ErrNotEmpty
	case errors.Is(err, syscall.EXDEV):
		return remote.ErrCannotMove
	case isAny(err, syscall.ENAMETOOLONG, syscall.EILSEQ):
		return remote.ErrInvalidName
	}
	return nil
}

// phrases are what some libraries leave of an error: its text.
var phrases = []struct {
	text  string // in lower case
	class error
}{
	{"storagequotaexceeded", remote.ErrQuota},
	{"quotaexceeded", remote.ErrQuota},
	{"insufficient_space", remote.ErrQuota},
	{"insufficient storage", remote.ErrQuota},
	{"no space left on device", remote.ErrQuota},
	{"ratelimitexceeded", remote.ErrTemporary},
	{"slowdown", remote.ErrTemporary},
	{"too many requests", remote.ErrTemporary},
	{"unable to authenticate", remote.ErrFatal},     // ssh
	{"unexpected message type 51", remote.ErrFatal}, // as much, where the server offers questions and asks none
	{"knownhosts:", remote.ErrFatal},
	{"couldn't fetch token", remote.ErrFatal},
	{"invalid_grant", remote.ErrFatal},
	{"invalidaccesskeyid", remote.ErrFatal},
	{"signaturedoesnotmatch", remote.ErrFatal},
	{"expiredtoken", remote.ErrFatal},
	{"nosuchbucket", remote.ErrFatal},
	{"keytoolong", remote.ErrInvalidName},
	{"file name too long", remote.ErrInvalidName},
	{"filenametoolong", remote.ErrInvalidName},
	{"ssh_fx_bad_message", remote.ErrInvalidName}, // OpenSSH for ENAMETOOLONG
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
	switch status := HTTPStatus(err); {
	case status == http.StatusNotFound:
		return remote.ErrNotFound
	case status == http.StatusUnauthorized:
		return remote.ErrFatal
	case status == http.StatusForbidden:
		return remote.ErrPermission
	case status == http.StatusInsufficientStorage, status == http.StatusRequestEntityTooLarge:
		return remote.ErrQuota
	case status == http.StatusRequestURITooLong:
		return remote.ErrInvalidName
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status == http.StatusLocked, status >= 500:
		return remote.ErrTemporary
	}
	return nil
}

// ofFTP follows RFC 959, section 4.2. 550 says "not found", "no access" and "not empty" alike.
func ofFTP(code int) error {
	switch {
	case code == 452 || code == 552:
		return remote.ErrQuota
	case code == 530 || code == 532:
		return remote.ErrFatal
	case code == 553:
		return remote.ErrInvalidName
	case code >= 400 && code < 500:
		return remote.ErrTemporary
	}
	return nil
}

// HTTPStatus returns the status that an error of some client library carries, or 0. They agree on
// nothing but calling it StatusCode, HTTPStatusCode or Code.
func HTTPStatus(err error) int {
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

// ofNetwork tells "there is nobody", after which other requests would fail as well, from "the connection broke".
func ofNetwork(err error) error {
	var (
		op  *net.OpError
		dns *net.DNSError
		any net.Error
		bad textproto.ProtocolError
	)
	switch {
	case errors.As(err, &bad):
		return remote.ErrOffline // what answers does not speak FTP, and is somebody else
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return remote.ErrOffline
	case isAny(err, syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
		syscall.ENETDOWN, syscall.ETIMEDOUT, context.DeadlineExceeded):
		return remote.ErrOffline
	case errors.As(err, &any) && any.Timeout():
		return remote.ErrOffline
	case errors.As(err, &op), isAny(err, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE):
		return remote.ErrTemporary
	}
	return ofNetworkText(err)
}

// ofNetworkText is for errors that were flattened to text on their way.
func ofNetworkText(err error) error {
	text := err.Error()
	for _, phrase := range []string{
		"connection refused", "no such host", "no route to host", "network is unreachable", "i/o timeout",
		"unexpected packet in response to channel open", // ssh, whose line went
	} {
		if strings.Contains(text, phrase) {
			return remote.ErrOffline
		}
	}
	if fserrors.ShouldRetry(err) || fserrors.IsRetryError(err) ||
		strings.Contains(text, "connection lost") || strings.Contains(text, "connection reset") {
		return remote.ErrTemporary
	}
	return nil
}
