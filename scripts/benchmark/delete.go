//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const deleteRequests = 10 // of a thousand objects each

// deletes removes many files, and counts how often the server is asked to.
func deletes(b *bench) error {
	s, err := b.s3Side()
	if err != nil {
		return err
	}
	n, source := b.n(10_000), b.at("delete")
	gone := filepath.Join(source, "gone")
	if err := errors.Join(plant(filepath.Join(source, "kept"), filesPerDir, filesPerDir, smallFile), plant(gone, n, filesPerDir, smallFile)); err != nil {
		return err
	}
	if _, err := b.ours(source, s.remote("deleted")); err != nil {
		return err
	}
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	marks := b.marks()
	if _, err := b.ours(source, s.remote("deleted")); err != nil {
		return err
	}
	seen, err := b.since(marks)
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.path("deleted/gone")); err == nil {
		return errors.New("the objects are still there")
	}
	what := fmt.Sprintf("%s objects deleted, S3", thousands(n))
	b.table.count(what+": requests to delete", matching(seen, `s3_DeleteObject`), "requests", "", deleteRequests)
	b.table.count(what+": other requests", int64(len(seen))-matching(seen, `s3_DeleteObject`), "requests", "", deleteRequests)
	return errors.Join(os.RemoveAll(source), os.RemoveAll(s.path("deleted")), os.RemoveAll(b.at("state")))
}
