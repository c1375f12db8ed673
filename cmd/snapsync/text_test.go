package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

func TestShow(t *testing.T) {
	for in, want := range map[string]string{
		"a b/ü.txt": "a b/ü.txt", "two\nlines": `"two\nlines"`, "bad\xff": `"bad\xff"`, " x": `" x"`,
		"esc\x1b[31m": `"esc\x1b[31m"`, "": ".", "rtl\u202e": `"rtl\u202e"`,
	} {
		if got := show(in); got != want {
			t.Errorf("show(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWithoutPath(t *testing.T) {
	long := strings.Repeat("long/", 500) + "name"
	for _, test := range []struct{ message, path, want string }{
		{fmt.Sprintf("send %q: open %q: open /dst/%s: file name too long", long, long, long), long, "send: open: open: file name too long"},
		{"send \"d/a\": open /dst/d/.snapsync-36309c09878291ae.partial: file name too long", "d/a", "send: open: file name too long"},
		{`send "a": permission denied`, "a", "send: permission denied"},
		{`move "a" to "b": permission denied`, "b", `move "a" to: permission denied`},
		{"open /src/a/b: no space", "b", "open: no space"},
		{"open /src/xb: no space", "b", "open /src/xb: no space"},
		{"cannot read a file", "a", "cannot read a file"},
		{"send two\nlines: broke off", "two\nlines", "send: broke off"},
		{"x", "", "x"},
		{"open /home/a/b\xff.txt: denied", "b\xff.txt", "open: denied"}, // not UTF-8
	} {
		if got := withoutPath(test.message, test.path); got != test.want {
			t.Errorf("%.80q without %.20q: %q, want %q", test.message, test.path, got, test.want)
		}
	}
}

// What a mount holds counts as held, in the totals of a plan as in its text.
func TestPlanShowsWhatMountsHold(t *testing.T) {
	head := &snapshot.Head{Stats: snapshot.Stats{Files: 3, Symlinks: 2, Special: 1}}
	v := newPlanView(&engine.Preview{Head: head, Mounts: &engine.Hold{Deletes: 7, Limit: -1, Why: `"disk": gone`}}, false)
	if v.totals.Held != 7 || v.totals.HeldWhy != `"disk": gone` {
		t.Errorf("got %+v", v.totals)
	}
	var b strings.Builder
	if err := v.writeText(&b, &mapping{source: "/src", display: "dst:", remote: "dst:"}, 0); err != nil {
		t.Fatal(err)
	}
	want := `7 deletes held: "disk": gone
hint: everything else goes on; mount it again, or accept what is there now with: snapsync approve --new-source /src --remote dst:
snapsync: /src → dst:: send 0 (0 B), delete 0, 7 held; 2 symlinks skipped (--links keeps them); 1 socket, fifo or device skipped
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("send x: %w", err) }
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {exit.Usage("", "x"), 2}, {wrap(snapshot.ErrSourceGone), 3},
		{wrap(engine.ErrTemporary), 5}, {wrap(journal.ErrFull), 5}, {wrap(engine.ErrFatal), 7}, {wrap(journal.ErrDamaged), 7},
		{wrap(journal.ErrNewer), 7}, {wrap(engine.ErrNewSource), 22}, {wrap(engine.ErrOffline), 23},
		{wrap(exit.Quiet(exit.StatusHeld)), 21}, {errors.Join(wrap(engine.ErrOffline), errors.New("close")), 23},
	} {
		if got := exit.Report(io.Discard, test.err); got != test.want {
			t.Errorf("%v: status %d, want %d", test.err, got, test.want)
		}
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"work": "work", "My Files": "my-files", "/": "root", "..": "root", "日本": "root", "a.b_c-d": "a.b_c-d",
	} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRate(t *testing.T) {
	var r rate
	at := time.Unix(1000, 0)
	if got := r.at(at); got != 0 {
		t.Errorf("before anything: %v", got)
	}
	for i := range 20 {
		r.add(at.Add(time.Duration(i)*time.Second), 100)
	}
	if got := r.at(at.Add(19 * time.Second)); got != 100 {
		t.Errorf("steady 100 B/s: %v", got)
	}
	if got := r.at(at.Add(10 * time.Minute)); got != 0 {
		t.Errorf("after a long pause: %v", got)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b-c_d.txt": "/a/b-c_d.txt", "s3:b/x": "s3:b/x", "": "''", "a b": "'a b'", " x": "' x'", "it's": `'it'\''s'`,
		"$HOME": "'$HOME'", "日本": "'日本'", "it's\n": `$'it\'s\n'`, "\x1b[31m": `$'\x1b[31m'`,
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"nas:a", "nas:a", true}, {"nas:a", "nas:a/b", true}, {"nas:a/b", "nas:/a", true}, {"nas:", "nas:a", true},
		{"nas:a", "nas:ab", false}, {"nas:a", "other:a", false}, {":sftp,host=h:a", ":sftp,host=h:a/b", true},
		{":sftp,host='h:1':a", ":sftp,host='h:1':b", false}, {":sftp,host='h:1':a", ":sftp,host='h:1':a/b", true},
	} {
		a, _, errA := placeOf(test.a)
		b, _, errB := placeOf(test.b)
		if got := a.overlaps(b); got != test.want || b.overlaps(a) != got || errA != nil || errB != nil {
			t.Errorf("%s and %s: %v, want %v (%v, %v)", test.a, test.b, got, test.want, errA, errB)
		}
	}
}

func TestLineHandler(t *testing.T) {
	var b strings.Builder
	log := slog.New(&lineHandler{out: &b, level: slog.LevelInfo, mu: &sync.Mutex{}})
	log.With("run", 7).Log(t.Context(), levelNotice, "cannot read", "path", "a/b", "err", errors.New("no way"))
	log.Debug("not this")
	log.WithGroup("g").Error("x", "k", 1)
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], ` NOTICE: a/b: cannot read run=7 err="no way"`) || !strings.HasSuffix(lines[1], " ERROR : x g.k=1") {
		t.Errorf("got %q", lines)
	}
}

// Events and drawing must never wait for each other, and stop must end the view.
func TestProgressUnderLoad(t *testing.T) {
	a := &app{globals: &globals{}, ctx: t.Context(), stdout: io.Discard, screen: &screen{out: io.Discard}}
	p := newFlight()
	end := a.showProgress(true, p)
	p.observe(engine.Event{Type: engine.Planned, Steps: 4000, UploadBytes: 4000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 1000 {
					s := &journal.Step{Path: fmt.Sprint(g, i), Action: journal.Send, How: journal.Upload, New: &snapshot.Entry{Size: 1}}
					for _, e := range []engine.EventType{engine.StepStart, engine.StepProgress, engine.StepRetry, engine.StepProgress, engine.StepDone} {
						p.observe(engine.Event{Type: e, Step: s, Bytes: 1})
					}
					if i%100 == 0 {
						fmt.Fprintln(a.screen, "a log line")
						time.Sleep(30 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		end()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the view and the events wait for each other")
	}
	if got := p.progress(t.Context()); got.StepsDone != 4000 || got.Done != 4000 || got.Total != 4000 || len(got.Transfers) != 0 {
		t.Errorf("%+v", got)
	}
}

// What is left counts what is not read yet of the steps that are not over: of one that failed nothing, of one
// that is tried again all, of one that goes on where it was interrupted what the remote did not have.
func TestBytesLeft(t *testing.T) {
	f := newFlight()
	step := func(path string, size int64) *journal.Step {
		return &journal.Step{Path: path, Action: journal.Send, How: journal.Upload, New: &snapshot.Entry{Size: size}}
	}
	a, b, c := step("a", 100), step("b", 1000), step("c", 10)
	for i, c := range []struct {
		ev   engine.Event
		left int64
	}{
		{engine.Event{Type: engine.Planned, Steps: 2, UploadBytes: 1100}, 1100},
		{engine.Event{Type: engine.StepStart, Step: a}, 1100},
		{engine.Event{Type: engine.StepProgress, Step: a, Bytes: 60}, 1040},
		{engine.Event{Type: engine.StepRetry, Step: a}, 1100},
		{engine.Event{Type: engine.StepProgress, Step: a, Bytes: 10}, 1090},
		{engine.Event{Type: engine.StepDone, Step: a, Err: errors.New("no")}, 1000},
		{engine.Event{Type: engine.StepStart, Step: b}, 1000},
		{engine.Event{Type: engine.StepProgress, Step: b, Bytes: 300}, 700},
		{engine.Event{Type: engine.StepStart, Step: c}, 710}, // planned beside b
		{engine.Event{Type: engine.StepProgress, Step: c, Bytes: 10}, 700},
		{engine.Event{Type: engine.StepDone, Step: c}, 700},
		{engine.Event{Type: engine.StepDone, Step: b}, 0},
	} {
		f.observe(c.ev)
		if _, _, left := f.transfers(); left != c.left {
			t.Errorf("after event %d: %d left, want %d", i, left, c.left)
		}
	}
}
