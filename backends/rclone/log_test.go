package rclone

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestLogRedacts quotes remotes as rclone does when it opens them.
func TestLogRedacts(t *testing.T) {
	for _, remote := range []string{
		":webdav,url='http://host/x',user=me,pass=HIDDEN,bearer_token=HIDDEN:path",
		":webdav,url='http://me:HIDDEN@host/x',pass='HIDDEN, it''s HIDDEN':path",
		`:webdav,pass="HIDDEN, HIDDEN",url="http://host":path`,
		`:crypt,password2=HIDDEN,remote=':webdav,url="http://me:HIDDEN@host",pass="HIDDEN HIDDEN":base':path`,
		`:crypt,remote=':webdav,url=host,pass=HIDDEN:base',password=HIDDEN:path`,
	} {
		var out bytes.Buffer
		log := slog.New(demoted{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})})
		log.Debug(fmt.Sprintf("Creating backend with remote %q", remote))
		if s := out.String(); strings.Contains(s, "HIDDEN") || !strings.Contains(s, "path") || !strings.Contains(s, "host") {
			t.Errorf("%s was logged as %s", remote, s)
		}
	}
}
