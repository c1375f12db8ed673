package enginetest

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func (c *connection) Move(ctx context.Context, from, path string, dir bool, was *snapshot.Entry) error {
	op := Op{Name: "move", Path: path, From: from}
	if dir {
		op.Name = "dirmove"
	}
	return c.run(ctx, op, func() error {
		if c.m.key(from) == c.m.key(path) {
			return c.m.misuse(op, "a move onto itself")
		}
		if snapshot.Beneath(path, from) || snapshot.Beneath(from, path) {
			return c.m.misuse(op, "a move into itself")
		}
		if dir {
			return c.moveDir(op)
		}
		return c.moveFile(op, was)
	})
}

func (c *connection) moveFile(op Op, was *snapshot.Entry) error {
	m := c.m
	if !m.Caps.Move {
		return m.misuse(op, "no Caps.Move")
	}
	n, err := c.same(op, op.From, was)
	if err != nil {
		return err
	}
	if err := c.place(op, op.Path); err != nil {
		return err
	}
	c.rename(n, op.Path)
	m.prune(op.From)
	return nil
}

func (c *connection) moveDir(op Op) error {
	m := c.m
	if !m.Caps.DirMove {
		return m.misuse(op, "no Caps.DirMove")
	}
	n := m.get(op.From)
	if n == nil || n.entry.Kind != snapshot.Dir {
		return fmt.Errorf("%v: %w", op, remote.ErrNotFound)
	}
	if other := m.get(op.Path); other != nil {
		return m.misuse(op, "%q exists", other.path)
	}
	if file := m.parents(op.Path); file != "" {
		return m.misuse(op, "%q is a file", file)
	}
	for _, child := range m.beneath(op.From) {
		c.rename(child, op.Path+child.path[len(n.path):])
	}
	c.rename(n, op.Path)
	m.prune(op.From)
	return nil
}

// rename gives n another path. A server-side move changes nothing else of it.
func (c *connection) rename(n *node, path string) {
	delete(c.m.nodes, c.m.key(n.path))
	moved := *n
	moved.path = path
	c.m.nodes[c.m.key(path)] = &moved
}
