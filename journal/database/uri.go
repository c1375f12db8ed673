package database

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// readOnlyURI decides how to read without writing. readonly_shm keeps SQLite from touching the index
// of the log; a log without its index, which a restored backup may be, has to be given one.
func readOnlyURI(path string) string {
	log, logErr := os.Stat(path + "-wal")
	_, indexErr := os.Stat(path + "-shm")
	switch {
	case logErr == nil && indexErr == nil:
		return fileURI(path, "mode=ro&readonly_shm=1")
	case logErr == nil && log.Size() > 0:
		return fileURI(path, "mode=ro")
	}
	return fileURI(path, "immutable=1")
}

// fileURI is path as SQLite's URI, with parameters.
func fileURI(path, query string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") && filepath.VolumeName(path) != "" {
		path = "/" + path // file:///C:/x
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query, OmitHost: true}
	if !strings.HasPrefix(path, "/") {
		u.Opaque, u.Path = (&url.URL{Path: path}).EscapedPath(), "" // file:relative
	}
	return u.String()
}
