package backends

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

	"github.com/snapsync/snapsync/engine"
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
		{fs.ErrorObjectNotFound, engine.ErrNotFound},
		{fs.ErrorDirNotFound, engine.ErrNotFound},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, engine.ErrNotFound},
		{&statusError{404}, engine.ErrNotFound},
		{fs.ErrorCantMove, engine.ErrCannotMove},
		{fs.ErrorDirExists, engine.ErrCannotMove},
		{&os.LinkError{Op: "rename", Err: syscall.EXDEV}, engine.ErrCannotMove},
		{fs.ErrorDirectoryNotEmpty, engine.ErrNotEmpty},
		{&os.PathError{Op: "rmdir", Err: syscall.ENOTEMPTY}, engine.ErrNotEmpty},
		{full, engine.ErrQuota},
		{fserrors.FatalError(full), engine.ErrQuota}, // some providers send it as fatal
		{&statusError{507}, engine.ErrQuota},
		{&textproto.Error{Code: 552, Msg: "exceeded storage allocation"}, engine.ErrQuota},
		{errors.New("googleapi: Error 403: ..., storageQuotaExceeded"), engine.ErrQuota},
		{fs.ErrorPermissionDenied, engine.ErrPermission},
		{&os.PathError{Op: "open", Err: syscall.EACCES}, engine.ErrPermission},
		{&os.PathError{Op: "open", Err: syscall.EROFS}, engine.ErrPermission},
		{smithyError{403}, engine.ErrPermission},
		{errors.New("api error SignatureDoesNotMatch: ..."), engine.ErrFatal},
		{&statusError{401}, engine.ErrFatal},
		{errors.New("ssh: unable to authenticate, attempted methods [none]"), engine.ErrFatal},
		{fmt.Errorf("%w (%q)", fs.ErrorNotFoundInConfigFile, "nope"), engine.ErrFatal},
		{fserrors.FatalError(errors.New("whatever")), engine.ErrFatal},
		{&os.PathError{Op: "open", Err: syscall.ENAMETOOLONG}, engine.ErrInvalidName},
		{fs.ErrorFileNameTooLong, engine.ErrInvalidName},
		{&url.Error{Op: "Put", URL: "http://h", Err: dial}, engine.ErrOffline},
		{fmt.Errorf("couldn't connect SSH: %w", &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}), engine.ErrOffline},
		{errors.New("dial tcp: lookup h: no such host"), engine.ErrOffline},
		{os.ErrDeadlineExceeded, engine.ErrOffline},
		{&url.Error{Op: "Put", URL: "http://h", Err: read}, engine.ErrTemporary},
		{io.ErrUnexpectedEOF, engine.ErrTemporary},
		{errors.New("sftp: connection lost"), engine.ErrTemporary},
		{smithyError{503}, engine.ErrTemporary},
		{&statusError{429}, engine.ErrTemporary},
		{&textproto.Error{Code: 421, Msg: "service not available"}, engine.ErrTemporary},
		{errors.New("googleapi: Error 403: ..., userRateLimitExceeded"), engine.ErrTemporary},
		{&textproto.Error{Code: 550, Msg: "anything"}, nil},
		{errors.New("something else"), nil},
		{fmt.Errorf("x: %w", snapshot.ErrChanged), snapshot.ErrChanged},
		{fmt.Errorf("x: %w", engine.ErrNotEmpty), engine.ErrNotEmpty},
	} {
		got := classify(t.Context(), fmt.Errorf("wrapped: %w", tt.err))
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
	err := classify(ctx, errors.New("use of closed network connection"))
	if !errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrTemporary) {
		t.Errorf("after the context was cancelled: %v", err)
	}
	if classify(ctx, nil) != nil {
		t.Error("success became an error")
	}
}
