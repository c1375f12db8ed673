package generic

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// genericIn opens the generic Connection on a directory that holds files, by path and content.
func genericIn(t *testing.T, dir string, o rclone.Options, files map[string]string) *Connection {
	t.Helper()
	for path, content := range files {
		write(t, filepath.Join(dir, path), content)
	}
	return openOn(t, dir, "", o)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// holds checks what is in a file; "" means that it must not be there.
func holds(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if string(got) != want || err != nil && want != "" {
		t.Errorf("%s holds %q, %v, want %q", filepath.Base(name), got, err, want)
	}
}

// loseAnswer makes the first move on f happen, and fail with err.
func loseAnswer(f fs.Fs, err error) {
	move, first := f.Features().Move, true
	f.Features().Move = func(ctx context.Context, src fs.Object, remote string) (fs.Object, error) {
		o, moveErr := move(ctx, src, remote)
		if first {
			first = false
			return nil, err
		}
		return o, moveErr
	}
}

// lostAnswers are what a backend may make of a move that happened: the truth, or what its own retry
// was told.
var lostAnswers = map[string]error{
	"reset":     errors.New("read: connection reset by peer"),
	"not found": fs.ErrorObjectNotFound,
	"exists":    os.ErrExist,
	"ftp":       &textproto.Error{Code: 550, Msg: "Rename failed"},
}

func TestLostAnswer(t *testing.T) {
	for name, lost := range lostAnswers {
		t.Run("Move/"+name, func(t *testing.T) {
			dir := t.TempDir()
			g := genericIn(t, dir, rclone.Options{}, map[string]string{"a": "new", "b": "old"})
			loseAnswer(g.f, lost)
			if err := g.Move(t.Context(), "a", "b", false, nil); err == nil {
				t.Error("the error was swallowed")
			}
			holds(t, filepath.Join(dir, "b"), "new")
			if err := g.Move(t.Context(), "a", "b", false, nil); !errors.Is(err, remote.ErrNotFound) {
				t.Errorf("the second move: %v", err)
			}
			holds(t, filepath.Join(dir, "b"), "new")
		})
		t.Run("Backup/"+name, func(t *testing.T) {
			dir, kept := t.TempDir(), t.TempDir()
			g := genericIn(t, dir, rclone.Options{BackupDir: kept}, map[string]string{"f": "precious"})
			loseAnswer(g.backup.f, lost)
			if err := g.Backup(t.Context(), "f"); err == nil {
				t.Error("the error was swallowed")
			}
			holds(t, filepath.Join(kept, "f"), "precious")
			if err := g.Backup(t.Context(), "f"); err != nil {
				t.Errorf("the second backup: %v", err)
			}
			holds(t, filepath.Join(kept, "f"), "precious")
		})
		t.Run("Send/"+name, func(t *testing.T) {
			dir := t.TempDir()
			g := genericIn(t, dir, rclone.Options{}, map[string]string{"f": "old"})
			g.partial = true
			loseAnswer(g.f, lost)
			if err := g.Send(t.Context(), "f", enginetest.Text("newest", time.Now())); err == nil {
				t.Error("the error was swallowed")
			}
			holds(t, filepath.Join(dir, "f"), "newest")
		})
	}
}

// byNumber is a file of a remote that knows files by number: removing it removes it wherever it is.
type byNumber struct {
	fs.Object
	now string // its path
}

func (o byNumber) Remove(context.Context) error { return os.Remove(o.now) }

// numbered uploads files as byNumber, and knows where they will be.
type numbered struct {
	fs.Fs
	at string
}

func (f numbered) Put(ctx context.Context, in io.Reader, src fs.ObjectInfo, options ...fs.OpenOption) (fs.Object, error) {
	o, err := f.Fs.Put(ctx, in, src, options...)
	return byNumber{o, f.at}, err
}

// TestSendLostAnswerByNumber covers the removal of what a failed Send leaves.
func TestSendLostAnswerByNumber(t *testing.T) {
	dir := t.TempDir()
	g := genericIn(t, dir, rclone.Options{}, map[string]string{"f": "old"})
	g.partial = true
	rename := func(_ context.Context, src fs.Object, remote string) (fs.Object, error) {
		if err := os.Rename(filepath.Join(dir, src.Remote()), filepath.Join(dir, remote)); err != nil {
			return nil, err
		}
		return nil, lostAnswers["reset"]
	}
	g.f.Features().Move = rename
	g.f = numbered{g.f, filepath.Join(dir, "f")}
	if err := g.Send(t.Context(), "f", enginetest.Text("newest", time.Now())); err == nil {
		t.Error("the error was swallowed")
	}
	holds(t, filepath.Join(dir, "f"), "newest")
}

// TestMoveRefused covers remotes that do not replace: those that say so get the target out of the
// way, for any other reason it stays.
func TestMoveRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		refusal error
		want    string // at the target
	}{
		"exists":           {&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EEXIST}, "new"},
		"text":             {errors.New("Item with the same name already exists"), "new"},
		"ftp":              {&textproto.Error{Code: 550, Msg: "b: Permission denied"}, "new"},
		"permission":       {fs.ErrorPermissionDenied, "kept"},
		"cannot":           {fs.ErrorCantMove, "kept"},
		"reset":            {errors.New("read: connection reset by peer"), "kept"},
		"nothing we know":  {errors.New("error 17"), "kept"},
		"busy and existed": {&textproto.Error{Code: 450, Msg: "b exists and is busy"}, "kept"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			g := genericIn(t, dir, rclone.Options{}, map[string]string{"a": "new", "b": "kept"})
			move := g.f.Features().Move
			g.f.Features().Move = func(ctx context.Context, src fs.Object, remote string) (fs.Object, error) {
				if _, err := os.Lstat(filepath.Join(dir, remote)); err == nil {
					return nil, tt.refusal
				}
				return move(ctx, src, remote)
			}
			err := g.Move(t.Context(), "a", "b", false, nil)
			if (err == nil) != (tt.want == "new") {
				t.Errorf("got %v", err)
			}
			holds(t, filepath.Join(dir, "b"), tt.want)
		})
	}
}

// TestMoveRefusedSameFile covers a remote that takes two names for the same and refuses to rename one
// to the other: what is in the way is the file itself.
func TestMoveRefusedSameFile(t *testing.T) {
	dir := t.TempDir()
	g := genericIn(t, dir, rclone.Options{}, map[string]string{"a": "precious"})
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "A")); err != nil {
		t.Skip(err)
	}
	g.f.Features().Move = func(context.Context, fs.Object, string) (fs.Object, error) { return nil, os.ErrExist }
	if err := g.Move(t.Context(), "a", "A", false, nil); err == nil {
		t.Error("moved")
	}
	holds(t, filepath.Join(dir, "A"), "precious")
}
