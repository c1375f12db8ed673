package sftp

import (
	"fmt"
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// noted are Uploads in memory, which complain when they are misused.
type noted struct {
	mu      sync.Mutex
	uploads map[string]*remote.Upload
}

func (n *noted) Upload(path string) (*remote.Upload, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	u := n.uploads[path]
	if u == nil {
		return nil, nil
	}
	c := *u
	c.Parts = append([]remote.UploadPart{}, u.Parts...)
	for _, p := range c.Parts {
		c.Confirmed += p.Size
	}
	return &c, nil
}

func (n *noted) Uploads() (all []remote.Upload, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range n.uploads {
		c := *u
		c.Parts = nil
		all = append(all, c)
	}
	return all, nil
}

func (n *noted) BeginUpload(u *remote.Upload) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := u.Source.Validate(); err != nil {
		return err
	}
	if u.Connection == "" || u.Path == "" || u.Began.IsZero() || len(u.Parts) > 0 {
		return fmt.Errorf("not an upload that begins: %+v", u)
	}
	if n.uploads == nil {
		n.uploads = map[string]*remote.Upload{}
	}
	c := *u
	n.uploads[u.Path] = &c
	return nil
}

func (n *noted) AddPart(path string, p remote.UploadPart, at time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	u := n.uploads[path]
	if u == nil || p.Number != len(u.Parts)+1 || p.Size <= 0 || at.IsZero() {
		return fmt.Errorf("part %d of %q does not follow", p.Number, path)
	}
	u.Parts = append(u.Parts, p)
	return nil
}

func (n *noted) EndUpload(path string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.uploads, path)
	return nil
}

func (n *noted) len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.uploads)
}
