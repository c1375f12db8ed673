package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/engine/remote"
)

// statusError is a server's refusal.
type statusError struct {
	code uint32
	text string // for people; OpenSSH only repeats the code in words
}

func (e *statusError) Error() string {
	text := strings.ToValidUTF8(e.text, "?")
	if text == "" {
		text = words[e.code]
	}
	switch {
	case text == "":
		return fmt.Sprintf("the server refuses with status %d", e.code)
	case e.code == FXFailure && strings.EqualFold(strings.Trim(text, ". "), "failure"):
		return fmt.Sprintf("the server refuses and does not say why (Failure, status %d)", e.code)
	}
	return fmt.Sprintf("the server refuses: %s (status %d)", text, e.code)
}

// words are OpenSSH's, for servers that send a code alone.
var words = map[uint32]string{
	FXEOF: "End of file", FXNoSuchFile: "No such file", FXPermissionDenied: "Permission denied", FXFailure: "Failure",
	FXBadMessage: "Bad message", FXNoConnection: "No connection", FXConnectionLost: "Connection lost", FXUnsupported: "Operation unsupported",
}

// statusText is what the server said beside the code.
func statusText(err error) string {
	var status *statusError
	if !errors.As(err, &status) {
		return ""
	}
	return status.text
}

// Unwrap returns the engine's class. FXFailure is what servers say when there is no code for it; then
// the text may help, see also explain.
func (e *statusError) Unwrap() error {
	switch e.code {
	case FXNoSuchFile, FXNoSuchPath, FXNotADirectory:
		return remote.ErrNotFound
	case FXPermissionDenied, FXWriteProtect:
		return remote.ErrPermission
	case FXNoSpace, FXQuotaExceeded:
		return remote.ErrQuota
	case FXBadMessage, FXInvalidFilename: // the former is OpenSSH's for ENAMETOOLONG and EINVAL
		return remote.ErrInvalidName
	case FXDirNotEmpty:
		return remote.ErrNotEmpty
	case FXNoConnection, FXConnectionLost:
		return remote.ErrOffline
	}
	text := strings.ToLower(e.text)
	switch {
	case strings.Contains(text, "no space"), strings.Contains(text, "quota"), strings.Contains(text, "disk full"):
		return remote.ErrQuota
	case strings.Contains(text, "not a directory"): // a parent; OpenSSH says FXNoSuchFile
		return remote.ErrNotFound
	case strings.Contains(text, "name too long"):
		return remote.ErrInvalidName
	case strings.Contains(text, "read-only"):
		return remote.ErrPermission
	}
	return nil
}

// IsRefusal reports that err is what the server answered, rather than that it did not.
func IsRefusal(err error) bool {
	var status *statusError
	return errors.As(err, &status)
}

// HasCode reports that err is the server's refusal with one of these codes.
func HasCode(err error, codes ...uint32) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	for _, code := range codes {
		if status.code == code {
			return true
		}
	}
	return false
}
