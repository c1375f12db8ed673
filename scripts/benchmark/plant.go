//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
)

// plant makes a tree of files with random content, perDir in each directory, three levels deep. The
// same arguments make the same tree. All files are a day old, as most are in real life, so that
// none is racy.
func plant(root string, files, perDir, size int) error {
	dirs := (files + perDir - 1) / perDir
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for d := range dirs {
		g.Go(func() error {
			return plantDir(plantedDir(root, d), d, min(perDir, files-d*perDir), size)
		})
	}
	return g.Wait()
}

func plantedDir(root string, d int) string {
	return filepath.Join(root, fmt.Sprintf("part-%02d", d%40), fmt.Sprintf("group-%03d", d/40%50), fmt.Sprintf("folder-%05d", d))
}

func plantDir(dir string, seed, files, size int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), 1})
	content := make([]byte, size)
	old := time.Now().Add(-24 * time.Hour)
	for f := range files {
		_, _ = rng.Read(content)
		name := filepath.Join(dir, fmt.Sprintf("document-%04d.txt", f))
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(name, old, old); err != nil {
			return err
		}
	}
	return nil
}

// plantBig makes one file.
func plantBig(name string, size int64) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rng := rand.NewChaCha8([32]byte{2})
	chunk := make([]byte, 1<<20)
	for left := size; left > 0; left -= int64(len(chunk)) {
		chunk = chunk[:min(left, int64(len(chunk)))]
		_, _ = rng.Read(chunk)
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	return f.Close()
}

// edit changes the first n files of a planted tree, one in each directory as far as that goes, in
// their size, and returns their names relative to root.
func edit(root string, n, dirs int, with string) ([]string, error) {
	var names []string
	for i := range n {
		name := filepath.Join(plantedDir(root, i%dirs), fmt.Sprintf("document-%04d.txt", i/dirs))
		if err := os.WriteFile(name, []byte(with), 0o644); err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		names = append(names, rel)
	}
	return names, nil
}
