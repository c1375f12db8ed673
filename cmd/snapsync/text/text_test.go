package text

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/snapshot"
)

func TestShow(t *testing.T) {
	for in, want := range map[string]string{
		"a b/ü.txt": "a b/ü.txt", "two\nlines": `"two\nlines"`, "bad\xff": `"bad\xff"`, " x": `" x"`,
		"esc\x1b[31m": `"esc\x1b[31m"`, "": ".", "rtl\u202e": `"rtl\u202e"`,
	} {
		if got := Path(in); got != want {
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
		{`move "a" to "b": permission denied`, "b", `move "a" to "b": permission denied`},
		{`copy "b": move "a" to "b": permission denied`, "b", `copy: move "a" to "b": permission denied`},
		{"open /src/a/b: no space", "b", "open: no space"},
		{"open /src/xb: no space", "b", "open /src/xb: no space"},
		{"cannot read a file", "a", "cannot read a file"},
		{"send two\nlines: broke off", "two\nlines", "send: broke off"},
		{"x", "", "x"},
		{"open /home/a/b\xff.txt: denied", "b\xff.txt", "open: denied"}, // not UTF-8
	} {
		if got := WithoutPath(test.message, test.path); got != test.want {
			t.Errorf("%.80q without %.20q: %q, want %q", test.message, test.path, got, test.want)
		}
	}
}

// What a mount holds counts as held, in the totals of a plan as in its text.
func TestPlanShowsWhatMountsHold(t *testing.T) {
	head := &snapshot.Head{Stats: snapshot.Stats{Files: 3, Symlinks: 2, Special: 1}}
	v := NewPlan(&engine.Preview{Head: head, Mounts: &guard.Hold{Deletes: 7, Limit: -1, Why: `"disk": gone`}}, false)
	if v.totals.Held != 7 || v.totals.HeldWhy != `"disk": gone` {
		t.Errorf("got %+v", v.totals)
	}
	var b strings.Builder
	if err := v.WriteText(&b, "/src → dst:", func(option string) string { return "snapsync approve " + option }, 0); err != nil {
		t.Fatal(err)
	}
	want := `7 deletes held: "disk": gone
hint: everything else goes on; mount it again, or accept what is there now with: snapsync approve --new-source
snapsync: /src → dst:: send 0 (0 B), delete 0, 7 held; 2 symlinks skipped (--links keeps them); 1 socket, fifo or device skipped
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b-c_d.txt": "/a/b-c_d.txt", "s3:b/x": "s3:b/x", "": "''", "a b": "'a b'", " x": "' x'", "it's": `'it'\''s'`,
		"$HOME": "'$HOME'", "日本": "'日本'", "it's\n": `$'it\'s\n'`, "\x1b[31m": `$'\x1b[31m'`,
	} {
		if got := ShellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m", 90 * time.Minute: "1h",
		47 * time.Hour: "47h", 49 * time.Hour: "2d", 999 * 24 * time.Hour: "999d", 1001 * 24 * time.Hour: "2y",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestETA(t *testing.T) {
	for _, c := range []struct {
		left int64
		rate float64
		want string
	}{
		{0, 1, ""}, {1, 0, ""}, {-1, 5, ""}, {90, 10, "9s"}, {95, 10, "10s"}, {3600, 1, "1h0m"}, {3599, 1, "59m59s"},
		{47*3600 + 59*60, 1, "47h59m"}, {49 * 3600, 1, "2d"}, {1 << 62, 1, "3y"},
	} {
		if got := ETA(c.left, c.rate); got != c.want {
			t.Errorf("%d at %v: %q, want %q", c.left, c.rate, got, c.want)
		}
	}
}

func TestFitPathKeepsTheEnd(t *testing.T) {
	got := FitPath("a/directory/with/a/long/name/IMG_0001.raw", 20)
	if got != "a/dire…/IMG_0001.raw" {
		t.Errorf("got %q", got)
	}
}

// TestFailed: what many met has one line, and every path is counted once.
func TestFailed(t *testing.T) {
	sum := &engine.Summary{Failed: 50}
	for i := range 40 {
		path := fmt.Sprintf("f%d", i)
		sum.Failures = append(sum.Failures, engine.Failure{Path: path, Err: fmt.Errorf("send %q: the server refuses", path)})
	}
	sum.Failures = append(sum.Failures, engine.Failure{Path: "other", Err: fmt.Errorf("open other: no")})
	want := "50 paths failed\n  f0, f1 and 38 more: send: the server refuses\n  other: open: no\n  … and 9 more"
	if got := Failed(sum).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	sum = &engine.Summary{Failed: 12}
	for i := range 12 {
		sum.Failures = append(sum.Failures, engine.Failure{Path: fmt.Sprint(i), Err: fmt.Errorf("reason %c", 'a'+i)})
	}
	if got := Failed(sum).Error(); strings.Count(got, "\n") != MaxShown+1 || !strings.HasSuffix(got, "… and 2 more") {
		t.Errorf("got\n%s", got)
	}
}
