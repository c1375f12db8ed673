package rclone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fserrors"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

type statusError struct{ StatusCode int }

func (e *statusError) Error() string { return fmt.Sprintf("HTTP error %d", e.StatusCode) }

type smithyError struct{ status int }

func (e smithyError) Error() string       { return "operation error S3: PutObject" }
func (e smithyError) HTTPStatusCode() int { return e.status }

func TestClassify(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, tt := range []struct {
		err  error
		want error // nil: none
	}{
		{fs.ErrorObjectNotFound, remote.ErrNotFound},
		{fs.ErrorDirNotFound, remote.ErrNotFound},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, remote.ErrNotFound},
		{&statusError{404}, remote.ErrNotFound},
		{fs.ErrorCantMove, remote.ErrCannotMove},
		{fs.ErrorDirExists, remote.ErrCannotMove},
		{&os.LinkError{Op: "rename", Err: syscall.EXDEV}, remote.ErrCannotMove},
		{fs.ErrorDirectoryNotEmpty, remote.ErrNotEmpty},
		{&os.PathError{Op: "rmdir", Err: syscall.ENOTEMPTY}, remote.ErrNotEmpty},
		{full, remote.ErrQuota},
		{fserrors.FatalError(full), remote.ErrQuota}, // some providers send it as fatal
		{&statusError{507}, remote.ErrQuota},
		{&textproto.Error{Code: 552, Msg: "exceeded storage allocation"}, remote.ErrQuota},
		{errors.New("googleapi: Error 403: ..., storageQuotaExceeded"), remote.ErrQuota},
		{fs.ErrorPermissionDenied, remote.ErrPermission},
		{&os.PathError{Op: "open", Err: syscall.EACCES}, remote.ErrPermission},
		{&os.PathError{Op: "open", Err: syscall.EROFS}, remote.ErrPermission},
		{smithyError{403}, remote.ErrPermission},
		{errors.New("api error SignatureDoesNotMatch: ..."), remote.ErrFatal},
		{&statusError{401}, remote.ErrFatal},
		{errors.New("ssh: unable to authenticate, attempted methods [none]"), remote.ErrFatal},
		{errors.New("couldn't connect SSH: ssh: handshake failed: ssh: unexpected message type 51 (expected 60)"), remote.ErrFatal},
		{fmt.Errorf("failed to make FTP connection: %w", textproto.ProtocolError("invalid response code: HTTP/1.1 400")), remote.ErrOffline},
		{errors.New("ssh: unexpected packet in response to channel open: <nil>"), remote.ErrOffline},
		{fmt.Errorf("%w (%q)", fs.ErrorNotFoundInConfigFile, "nope"), remote.ErrFatal},
		{fserrors.FatalError(errors.New("whatever")), remote.ErrFatal},
		{&os.PathError{Op: "open", Err: syscall.ENAMETOOLONG}, remote.ErrInvalidName},
		{fs.ErrorFileNameTooLong, remote.ErrInvalidName},
		{&url.Error{Op: "Put", URL: "http://h", Err: dial}, remote.ErrOffline},
		{fmt.Errorf("couldn't connect SSH: %w", &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}), remote.ErrOffline},
		{errors.New("dial tcp: lookup h: no such host"), remote.ErrOffline},
		{os.ErrDeadlineExceeded, remote.ErrOffline},
		{&url.Error{Op: "Put", URL: "http://h", Err: read}, remote.ErrTemporary},
		{io.ErrUnexpectedEOF, remote.ErrTemporary},
		{errors.New("sftp: connection lost"), remote.ErrTemporary},
		{smithyError{503}, remote.ErrTemporary},
		{&statusError{429}, remote.ErrTemporary},
		{&textproto.Error{Code: 421, Msg: "service not available"}, remote.ErrTemporary},
		{errors.New("googleapi: Error 403: ..., userRateLimitExceeded"), remote.ErrTemporary},
		{&textproto.Error{Code: 550, Msg: "anything"}, nil},
		{errors.New("something else"), nil},
		{fmt.Errorf("x: %w", snapshot.ErrChanged), snapshot.ErrChanged},
		{fmt.Errorf("x: %w", remote.ErrNotEmpty), remote.ErrNotEmpty},
	} {
		got := Classify(t.Context(), fmt.Errorf("wrapped: %w", tt.err))
		if !errors.Is(got, tt.err) {
			t.Errorf("%v: the error is lost in %v", tt.err, got)
		}
		var of []error
		for _, class := range classes {
			if errors.Is(got, class) {
				of = append(of, class)
			}
		}
		if len(of) > 1 || (tt.want == nil) != (len(of) == 0) || len(of) == 1 && of[0] != tt.want {
			t.Errorf("%v: classes %v, want %v", tt.err, of, tt.want)
		}
	}
}

func TestClassifyCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Classify(ctx, errors.New("use of closed network connection"))
	if !errors.Is(err, context.Canceled) || errors.Is(err, remote.ErrTemporary) {
		t.Errorf("after the context was cancelled: %v", err)
	}
	if Classify(ctx, nil) != nil {
		t.Error("success became an error")
	}
}
