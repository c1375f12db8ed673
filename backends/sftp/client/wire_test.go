package client

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/engine/remote"
)

func TestStatusClasses(t *testing.T) {
	for _, tt := range []struct {
		code  uint32
		text  string
		class error
	}{
		{FXNoSuchFile, "No such file", remote.ErrNotFound},
		{FXPermissionDenied, "Permission denied", remote.ErrPermission},
		{FXBadMessage, "Bad message", remote.ErrInvalidName},
		{FXNoSpace, "", remote.ErrQuota},
		{FXQuotaExceeded, "", remote.ErrQuota},
		{FXDirNotEmpty, "", remote.ErrNotEmpty},
		{FXConnectionLost, "", remote.ErrOffline},
		{FXFailure, "write /f: no space left on device", remote.ErrQuota},
		{FXFailure, "Disk quota exceeded", remote.ErrQuota},
		{FXFailure, "stat /f/g: not a directory", remote.ErrNotFound},
		{FXFailure, "open /f: read-only file system", remote.ErrPermission},
		{FXFailure, "open /f: file name too long", remote.ErrInvalidName},
		{FXFailure, "Failure", nil},
	} {
		r := Reply{kind: fxpStatus, body: append([]byte{0, 0, 0, byte(tt.code), 0, 0, 0, byte(len(tt.text))}, tt.text...)}
		err := r.Status()
		if !HasCode(err, tt.code) || HasCode(err, FXOK) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("status %d is %v", tt.code, err)
		}
		for _, class := range []error{
			remote.ErrOffline, remote.ErrNotFound, remote.ErrNotEmpty, remote.ErrPermission, remote.ErrQuota, remote.ErrInvalidName,
		} {
			if errors.Is(err, class) != (class == tt.class) {
				t.Errorf("status %d, %q: is it %q? %v", tt.code, tt.text, class, errors.Is(err, class))
			}
		}
	}
	ok := Reply{kind: fxpStatus, body: []byte{0, 0, 0, FXOK}} // some servers leave the text out
	if err := ok.Status(); err != nil {
		t.Error(err)
	}
}

// TestGarbled takes apart what no server should send: an error, never a panic or a huge allocation.
func TestGarbled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Reply{
			kind: rapid.SampledFrom([]byte{fxpStatus, fxpHandle, fxpData, fxpName, fxpAttrs, fxpExtendedReply, 0}).Draw(t, "kind"),
			body: rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 4, 255}), 0, 60).Draw(t, "body"),
		}
		_ = r.Status()
		if h, err := r.Handle(); err == nil && len(h)+4 > len(r.body) {
			t.Errorf("a handle of %d bytes from %d", len(h), len(r.body))
		}
		if b, err := r.Data(); err == nil && len(b)+4 > len(r.body) {
			t.Errorf("%d bytes of data from %d", len(b), len(r.body))
		}
		_, _ = r.Attrs()
		if names, err := r.Names(); err == nil && 12*len(names) > len(r.body) {
			t.Errorf("%d names from %d bytes", len(names), len(r.body))
		}
	})
}

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

func TestGreeting(t *testing.T) {
	for name, tt := range map[string]struct {
		says string
		want string
	}{
		"right":      {"\x00\x00\x00\x05\x02\x00\x00\x00\x03", ""},
		"shell":      {"This account is currently not available.\n", "not available."},
		"other":      {"\x00\x00\x00\x05\x01\x00\x00\x00\x03", "greeting of type 1"},
		"old":        {"\x00\x00\x00\x05\x02\x00\x00\x00\x02", "version 2"},
		"huge":       {"\x00\xff\xff\xff\x02", "a packet of"},
		"short":      {"\x00\x00\x00\x05\x02\x00", "EOF"},
		"cut within": {"\x00\x00\x00\x09\x02\x00\x00\x00\x03\x00\x00\x00\x09", ""},
	} {
		_, err := newSession(nil, strings.NewReader(tt.says), nowhere{&bytes.Buffer{}}, &conn{})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
		if fatal := errors.Is(err, remote.ErrFatal); fatal != (name == "shell") {
			t.Errorf("%s: fatal is %v", name, fatal)
		}
	}
}
