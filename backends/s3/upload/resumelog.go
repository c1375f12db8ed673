package upload

import (
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// resumeLog is what is remembered of unfinished uploads. It keeps in memory which paths have one, so that small
// files need not ask the journal.
type resumeLog struct {
	remote.Uploads // nil: nothing is remembered

	mu    sync.Mutex
	paths map[string]time.Time // the last sign of life of each
}

func newResumeLog(u remote.Uploads) (*resumeLog, error) {
	m := &resumeLog{Uploads: u, paths: map[string]time.Time{}}
	if u == nil {
		return m, nil
	}
	all, err := u.Uploads()
	for i := range all {
		m.paths[all[i].Path] = all[i].Last
	}
	return m, err
}

// recall returns what is remembered of path, or nil.
func (m *resumeLog) recall(path string) (*remote.Upload, error) {
	m.mu.Lock()
	_, known := m.paths[path]
	m.mu.Unlock()
	if !known {
		return nil, nil
	}
	return m.Uploads.Upload(path)
}

// begin remembers an upload in the place of an earlier one.
func (m *resumeLog) begin(u *remote.Upload) error {
	if m.Uploads == nil {
		return nil
	}
	m.mu.Lock()
	m.paths[u.Path] = u.Began
	m.mu.Unlock()
	return m.Uploads.BeginUpload(u)
}

// end forgets the upload of path: it is complete, or it was aborted.
func (m *resumeLog) end(path string) error {
	if m.Uploads == nil {
		return nil
	}
	if err := m.Uploads.EndUpload(path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.paths, path)
	return nil
}

// ticket is what remote.Upload keeps for this package: enough to abort the upload, and to see whether another one
// would be created today.
type ticket struct {
	where         string // the server
	digest        string // of everything about the object but its content
	client.Upload        // its ID is "" while it is only intended
}

// write stores t in u. Neither the server's address nor a bucket's name has a blank.
func (t *ticket) write(u *remote.Upload) {
	u.Connection = strings.Join([]string{"s3", t.where, t.digest, t.Bucket, t.Key}, " ")
	if u.ID = ""; t.ID != "" {
		u.ID = string(t.Sum) + " " + t.ID
	}
}

// parse is the reverse of write, and returns false for an upload of another kind of Connection.
func parse(u *remote.Upload) (ticket, bool) {
	f := strings.SplitN(u.Connection, " ", 5)
	if len(f) != 5 || f[0] != "s3" {
		return ticket{}, false
	}
	sum, id, _ := strings.Cut(u.ID, " ")
	return ticket{f[1], f[2], client.Upload{Address: options.Address{Bucket: f[3], Key: f[4]}, Sum: client.Algorithm(sum), ID: id}}, true
}
