package view

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

var update = flag.Bool("update", false, "rewrite the pictures in testdata")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time {
	at := noon.Add(-d)
	return &at
}

// transfer is one that has had so many bytes per second until noon.
func transfer(path string, done, size, rate int64) status.Transfer {
	return status.Transfer{Path: path, Done: done, Size: size, Since: noon.Add(-time.Duration(float64(done) / float64(rate) * float64(time.Second)))}
}

// busy is a process with something of everything.
func busy() *frame {
	return &frame{
		now: noon, chosen: -1,
		mappings: []Mapping{{
			Status: &status.Status{
				Mapping: "work", Source: "/home/me/work", Remote: "mys3:bucket/work", State: "idle", Since: ago(3 * time.Minute),
				Why: "everything that was seen is on the remote", Files: 412018, Bytes: 33 << 30,
			},
			Recent: []Action{
				{At: noon.Add(-5 * time.Minute), Text: "sent notes/today.md (12 KiB, modified)"},
				{At: noon.Add(-3 * time.Minute), Text: "moved old/ to archive/2025/ (812 files, 3.1 GiB not sent)"},
			},
		}, {
			Status: &status.Status{
				Mapping: "photos", Source: "/home/me/photos", Remote: "nas:photos", State: "syncing", Since: ago(12 * time.Second),
				LagSeconds: 12, Pending: 1204, Failed: 2, Files: 80211, Bytes: 700 << 30,
				LastError: "2024/raw/IMG_0007.raw: permission denied",
				Live: &status.Live{Left: 9 << 30, Transfers: []status.Transfer{
					transfer("2024/raw/IMG_0001.raw", 20<<20, 31<<20, 12<<20),
					transfer("2024/a directory with a long name/another one of them/IMG_0002.raw", 3<<20, 24<<20, 3<<20),
					{Path: "2024/raw/IMG_0003.raw", Size: 29 << 20},
					{Path: "2024/raw/empty"},
				}},
			},
			Recent: []Action{
				{At: noon.Add(-4 * time.Second), Text: "sent 2024/raw/IMG_0000.raw (31 MiB, new)"},
				{At: noon.Add(-2 * time.Second), Text: "failed: 2024/raw/IMG_0007.raw: permission denied", Failed: true},
			},
		}, {Status: &status.Status{
			Mapping: "notes", Source: "/home/me/notes", Remote: ":sftp,host=nas,user=me:backup/notes", State: "offline", Since: ago(2 * time.Hour),
			Why:        "the remote cannot be reached: dial tcp 10.0.0.7:22: connect: connection refused; it is tried again in 41s, and at once with s",
			LagSeconds: 7200, Pending: 17, Files: 912, Bytes: 41 << 20,
		}}, {Status: &status.Status{
			Mapping: "mail", Source: "/home/me/mail", Remote: "/mnt/backup/mail", State: "held", Since: ago(26 * time.Hour), Held: 5120, Files: 9000, Bytes: 2 << 30,
			Why: "5,120 of 9,000 files would be deleted (limit 50%); look with 'snapsync plan -m mail', let them through with 'snapsync approve -m mail'",
		}}},
		log: []string{
			"2026/11/22 11:58:01 NOTICE: watching 1,204 directories",
			"2026/11/22 11:59:56 ERROR : 2024/raw/IMG_0007.raw: permission denied",
		},
	}
}

func alone() *frame {
	f := busy()
	f.mappings, f.log = f.mappings[:1], nil
	return f
}

func many() *frame {
	f := &frame{now: noon, chosen: 17}
	for i := range 30 {
		f.mappings = append(f.mappings, Mapping{Status: &status.Status{Mapping: fmt.Sprintf("mapping-%02d", i), State: "paused", Since: ago(time.Hour), Remote: "nas:x"}})
	}
	return f
}

// sending is a run in the middle of its transfers.
func sending() *Progress {
	p := &Progress{Phase: "transferring", Done: 3 << 30, Total: 12 << 30, StepsDone: 1204, Steps: 13412, Rate: 15 << 20, Transfers: busy().mappings[1].transfers(noon)}
	for i := range 8 {
		p.Transfers = append(p.Transfers, Transfer{Path: fmt.Sprintf("2024/small/%d.jpg", i), Size: 1 << 20, Done: int64(i) << 17, Rate: 1 << 18})
	}
	return p
}

func with(f *frame, change func(*frame)) *frame {
	change(f)
	return f
}

func TestPictures(t *testing.T) {
	for name, c := range map[string]struct {
		frame interface {
			draw(width, height int, t theme) []string
		}
		width, height int
	}{
		"80x24":      {busy(), 80, 24},
		"80x15":      {busy(), 80, 15},
		"80x40":      {busy(), 80, 40},
		"200x50":     {busy(), 200, 50},
		"200x15":     {busy(), 200, 15},
		"40x10":      {busy(), 40, 10},
		"alone":      {alone(), 80, 15},
		"many":       {many(), 80, 15},
		"none":       {&frame{now: noon, chosen: -1}, 80, 10},
		"chosen":     {with(busy(), func(f *frame) { f.chosen = 2 }), 80, 24},
		"note":       {with(busy(), func(f *frame) { f.notice = "photos: paused" }), 80, 15},
		"stopping":   {with(busy(), func(f *frame) { f.stopping = true }), 80, 15},
		"help":       {with(busy(), func(f *frame) { f.help = true }), 80, 24},
		"help-small": {with(busy(), func(f *frame) { f.help = true }), 80, 10},

		"looking": {with(busy(), func(f *frame) {
			f.looking = true
			f.mappings[1].Failures = []status.Failure{
				{Path: "2024/raw/IMG_0007.raw", Message: "permission denied"}, {Path: "2024/raw/IMG_0008.raw", Message: "name is not possible on the remote"},
			}
		}), 80, 24},
		"looking-alone": {with(alone(), func(f *frame) { f.looking = true }), 80, 10},
		"looking-help":  {with(busy(), func(f *frame) { f.looking, f.help = true, true }), 80, 24},

		"run-80x24":    {sending(), 80, 24},
		"run-200x50":   {sending(), 200, 50},
		"run-40x10":    {sending(), 40, 10},
		"run-80x3":     {sending(), 80, 3},
		"run-starting": {&Progress{Phase: "scanning"}, 80, 24},
		"run-stalled":  {&Progress{Phase: "transferring", Done: 1 << 20, Total: 1 << 30, StepsDone: 1, Steps: 2}, 80, 24},
		"run-stopping": {func() *Progress { p := sending(); p.Stopping = true; return p }(), 80, 24},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, line := range c.frame.draw(c.width, c.height, plain) {
				fmt.Fprintln(&b, strings.TrimRight(line, " "))
			}
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Colours change nothing but colours.
func TestColoursAreOnlyColours(t *testing.T) {
	for _, width := range []int{40, 80, 200} {
		want := strings.Join(busy().draw(width, 24, plain), "\n")
		got := strings.Join(busy().draw(width, 24, themeFor(nil)), "\n")
		if got == want {
			t.Error("no colours")
		}
		if diff := cmp.Diff(want, ansi.Strip(got)); diff != "" {
			t.Errorf("%d columns: -plain +coloured:\n%s", width, diff)
		}
	}
}

// Whatever is shown, a frame fits the terminal and holds no control sequence but colours.
func TestFramesFit(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab /中é\u0301👩\u200d👧\x1b[2J\n\t\x00\u202e-.'")), 0, 300, -1)
	number := rapid.Int64Range(-1, 1<<62)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return noon.Add(-time.Duration(rapid.Int64Range(-1e9, 1e18).Draw(t, "ago")))
	})
	mapping := rapid.Custom(func(t *rapid.T) Mapping {
		since := moment.Draw(t, "since")
		m := Mapping{Status: &status.Status{
			Mapping: text.Draw(t, "name"), Source: text.Draw(t, "source"), Remote: text.Draw(t, "remote"),
			State: rapid.SampledFrom([]string{"idle", "syncing", "held", "offline", "", "new word"}).Draw(t, "state"),
			Since: &since, Why: text.Draw(t, "why"), LagSeconds: float64(number.Draw(t, "lag")), HeldWhy: text.Draw(t, "held why"),
			Files: number.Draw(t, "files"), Bytes: number.Draw(t, "bytes"), Pending: number.Draw(t, "pending"), Approve: text.Draw(t, "approve"),
			Held: number.Draw(t, "held"), Failed: number.Draw(t, "failed"), LastError: text.Draw(t, "error"), PID: rapid.IntRange(0, 1).Draw(t, "pid"),
		}}
		for range rapid.IntRange(0, 3).Draw(t, "failures") {
			m.Failures = append(m.Failures, status.Failure{Path: text.Draw(t, "path"), Message: text.Draw(t, "message")})
		}
		if rapid.Bool().Draw(t, "live") {
			m.Live = &status.Live{Left: number.Draw(t, "left"), Rate: number.Draw(t, "rate")}
		}
		for range rapid.IntRange(0, 12).Draw(t, "transfers") {
			path, done, size := text.Draw(t, "path"), number.Draw(t, "done"), number.Draw(t, "size")
			if m.Live != nil {
				m.Live.Transfers = append(m.Live.Transfers, status.Transfer{Path: path, Done: done, Size: size, Since: moment.Draw(t, "since")})
			}
			m.Uploads = append(m.Uploads, status.Upload{Path: path, Confirmed: done, Size: size})
		}
		for range rapid.IntRange(0, 5).Draw(t, "actions") {
			m.Recent = append(m.Recent, Action{moment.Draw(t, "at"), text.Draw(t, "text"), rapid.Bool().Draw(t, "failed")})
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		log := &Log{}
		fmt.Fprintln(log, text.Draw(t, "line"))
		f := &frame{
			now: noon, mappings: rapid.SliceOfN(mapping, 0, 6).Draw(t, "mappings"), log: log.last(logKept),
			chosen: rapid.IntRange(-1, 7).Draw(t, "chosen"), notice: text.Draw(t, "note"),
			help: rapid.Bool().Draw(t, "help"), stopping: rapid.Bool().Draw(t, "stopping"),
		}
		width, height := rapid.IntRange(1, 220).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")
		if err := fits(f.draw(width, height, plain), width, height); err != nil {
			t.Fatal(err)
		}
		of := mapping.Draw(t, "of")
		p := &Progress{
			Phase: text.Draw(t, "phase"), Done: number.Draw(t, "done"), Total: number.Draw(t, "total"), StepsDone: number.Draw(t, "steps done"),
			Steps: number.Draw(t, "steps"), Rate: float64(number.Draw(t, "rate")), Stopping: rapid.Bool().Draw(t, "stop"), Transfers: of.transfers(noon),
		}
		if err := fits(p.draw(width, height, plain), width, height); err != nil {
			t.Fatal(err)
		}
		for _, line := range f.draw(width, height, themeFor(nil)) {
			if n := ansi.StringWidth(line); n > width {
				t.Fatalf("coloured: %d cells in %d columns: %q", n, width, line)
			}
		}
	})
}

func fits(lines []string, width, height int) error {
	if len(lines) > height {
		return fmt.Errorf("%d lines in %d rows", len(lines), height)
	}
	for _, line := range lines {
		if n := ansi.StringWidth(line); n > width {
			return fmt.Errorf("%d cells in %d columns: %q", n, width, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) {
			return errors.New("a control character: " + fmt.Sprintf("%q", line))
		}
	}
	return nil
}

// The end of a long line of the log, where the remedy is, is seen where there is room for it; the newest
// line comes first in that.
func TestLogIsWrapped(t *testing.T) {
	long := "ERROR : not reloaded, everything goes on as before: /home/me/.config/snapsync/config.toml:3:1: bwlimit: cannot be parsed"
	f := &frame{log: []string{"old", "", long, "new"}, now: noon, chosen: -1}
	for _, c := range []struct {
		width, rows int
		want        []string
	}{
		{80, 10, []string{
			"old", "", "ERROR : not reloaded, everything goes on as before:",
			"  /home/me/.config/snapsync/config.toml:3:1: bwlimit: cannot be parsed", "new",
		}},
		{80, 2, []string{long, "new"}},
		{80, 1, []string{"new"}},
		{200, 10, []string{"old", "", long, "new"}},
		{80, 0, nil},
	} {
		if diff := cmp.Diff(c.want, f.logLines(c.width, c.rows)); diff != "" {
			t.Errorf("%d rows of %d (-want +got):\n%s", c.rows, c.width, diff)
		}
	}
}
