package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func everything() remote.Caps {
	return remote.Caps{Copy: true, Move: true, DirMove: true, SetModTime: true, Precision: time.Second,
		EmptyDirs: true, Backup: true, DeleteBatch: 10, Hash: snapshot.XXH3}
}

func TestMemoryContract(t *testing.T) {
	for name, caps := range map[string]remote.Caps{
		"Everything": everything(),
		"Least":      {EmptyDirs: true},
		"Bucket":     {BucketBased: true, Copy: true, SetModTime: true, Precision: time.Nanosecond, DeleteBatch: 1000},
		"NoCase":     {CaseInsensitive: true, Move: true, DirMove: true, EmptyDirs: true, SetModTime: true, Precision: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			Contract(t, func(t *testing.T) Subject {
				m := NewMemory(t, caps)
				c, err := m.Connect(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				read := func(path string) ([]byte, error) {
					m.mu.Lock()
					defer m.mu.Unlock()
					if n := m.get(path); n != nil {
						return []byte(n.content), nil
					}
					return nil, fmt.Errorf("no %q", path)
				}
				return Subject{Connection: c, Read: read, Links: true}
			})
		})
	}
}

// complaints collects what a Memory says about its user.
type complaints struct{ said []string }

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

func TestMemoryComplains(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		caps remote.Caps
		use  func(c remote.Connection) error
		want string
	}{
		{"move", remote.Caps{}, func(c remote.Connection) error { return c.Move(ctx, "f", "g", false, nil) }, "no Caps.Move"},
		{"dirmove", everything(), func(c remote.Connection) error { return c.Move(ctx, "d", "e", true, nil) }, `"e" exists`},
		{"copy", remote.Caps{}, func(c remote.Connection) error { return c.Copy(ctx, "f", "g", snapshot.Entry{}, nil) }, "no Caps.Copy"},
		{"touch", remote.Caps{}, func(c remote.Connection) error { return c.Touch(ctx, "f", snapshot.Entry{}, nil) }, "no Caps.SetModTime"},
		{"batch", remote.Caps{}, func(c remote.Connection) error { return c.Delete(ctx, []string{"f", "g"})[1] }, "2 paths in one batch"},
		{"delete dir", everything(), func(c remote.Connection) error { return c.Delete(ctx, []string{"d"})[0] }, "is a directory"},
		{"onto dir", everything(), func(c remote.Connection) error { return c.Send(ctx, "d", Text("x", day)) }, `"d" is a directory`},
		{"beneath file", everything(), func(c remote.Connection) error { return c.Send(ctx, "f/x", Text("x", day)) }, `"f" is a file`},
		{"bad path", everything(), func(c remote.Connection) error { return c.Rmdir(ctx, "a//b") }, "cannot be a path"},
		{"closed", everything(), func(c remote.Connection) error { _ = c.Close(); return c.Probe(ctx) }, "closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said complaints
			m := NewMemory(&said, tt.caps)
			m.Put("f", "1", day)
			m.Put("d/x", "2", day)
			m.Put("e/x", "3", day)
			before := m.String()
			c, _ := m.Connect(ctx, nil)
			if err := tt.use(c); err == nil {
				t.Error("no error")
			}
			if len(said.said) != 1 || !strings.Contains(said.said[0], tt.want) {
				t.Errorf("said %q, want something about %q", said.said, tt.want)
			}
			if m.String() != before {
				t.Errorf("the tree changed to\n%s", m)
			}
		})
	}
}

func TestMemoryOverlap(t *testing.T) {
	var said complaints
	m := NewMemory(&said, everything())
	c, _ := m.Connect(t.Context(), nil)
	m.FailNth(1, Fault{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Send(ctx, "d/a", Text("x", day)) }()
	for m.Ops() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := c.Rmdir(t.Context(), "d"); err == nil {
		t.Error("rmdir above a send under way passed")
	}
	if err := c.Mkdir(t.Context(), "e"); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the hanging send returned %v", err)
	}
	if len(said.said) != 1 {
		t.Errorf("said %q", said.said)
	}
}

func TestMemoryFaults(t *testing.T) {
	ctx := t.Context()
	for when, want := range map[When]string{
		Before: "f \"old\"\n",
		After:  "f \"new content\"\n",
		Torn:   remote.PartialName("f") + " \"new c\"\nf \"old\"\n",
	} {
		m := NewMemory(t, everything())
		m.Put("f", "old", day)
		c, _ := m.Connect(ctx, nil)
		m.FailNth(2, Fault{When: when, Err: remote.ErrTemporary})
		if err := c.Probe(ctx); err != nil {
			t.Error(err)
		}
		if err := c.Send(ctx, "f", Text("new content", day)); !errors.Is(err, remote.ErrTemporary) {
			t.Errorf("%v: got %v", when, err)
		}
		if got := m.String(); got != want {
			t.Errorf("%v: tree is\n%swant\n%s", when, got, want)
		}
		if err := c.Send(ctx, "f", Text("new content", day)); err != nil {
			t.Error(err)
		}
		if got := m.String(); got != "f \"new content\"\n" {
			t.Errorf("%v: after a second send the tree is\n%s", when, got)
		}
	}
}

func TestMemoryLog(t *testing.T) {
	ctx := t.Context()
	m := NewMemory(t, everything())
	c, _ := m.Connect(ctx, nil)
	_ = c.Send(ctx, "a", Text("1", day))
	_ = c.Move(ctx, "a", "b", false, nil)
	_ = c.Move(ctx, "a", "b", false, nil)
	_ = c.Backup(ctx, "b")
	m.SetOffline(true)
	_ = c.Delete(ctx, []string{"b", "c"})
	const want = `send a
move a -> b
move a -> b: not found on the remote
backup b
delete b: remote cannot be reached, not applied
`
	if got := m.Log(); got != want {
		t.Errorf("log is\n%swant\n%s", got, want)
	}
	if b := m.Backups(); len(b) != 1 || b[0].Path != "b" || b[0].Content != "1" {
		t.Errorf("backups are %+v", b)
	}
}
