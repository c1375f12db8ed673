package view

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// barOn starts a Bar on something that remembers what is written to it. stop ends both and returns that.
func barOn(t *testing.T, progress func() Progress) (b *Bar, out *output, stop func() string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out = &output{}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		io.Copy(out, r)
	}()
	b = StartBar(BarConfig{Progress: progress, Out: w, Environ: []string{"TERM=xterm-256color", "NO_COLOR=1"}, width: 80, height: 24})
	return b, out, func() string {
		t.Helper()
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		w.Close()
		<-copied
		return out.String()
	}
}

// Log lines that come while a Bar is there, from its first moment on, are all written, in their order.
func TestBarLogLines(t *testing.T) {
	b, out, stop := barOn(t, func() Progress { return *sending() })
	long := strings.Repeat("long ", 50)
	for i := range 100 {
		fmt.Fprintf(b, "line %d.\nand its second\n", i)
	}
	fmt.Fprintln(b, long)
	out.wait(t, "3.0 GiB of 12 GiB")
	text := ansi.Strip(stop())
	at := 0
	for i := range 100 {
		next := strings.Index(text[at:], fmt.Sprintf("line %d.", i))
		if next < 0 {
			t.Fatalf("line %d is missing, or too early", i)
		}
		at += next
	}
	if n := strings.Count(text, "and its second"); n != 100 {
		t.Errorf("%d second lines", n)
	}
	if n := strings.Count(strings.NewReplacer("\r", "", "\n", "").Replace(text), "long"); n != 50 {
		t.Errorf("%d of 50 words of a long line", n)
	}
}

// What a Bar does to a terminal needs no mending, whenever the process ends: no mode is set and nothing is asked of
// the terminal, and each write that hides the cursor shows it again.
func TestBarLeavesNothing(t *testing.T) {
	stopping := make(chan struct{})
	b, out, stop := barOn(t, func() Progress {
		p := sending()
		select {
		case <-stopping:
			p.Stopping = true
		default:
		}
		return *p
	})
	out.wait(t, "3.0 GiB of 12 GiB")
	fmt.Fprintln(b, "a line")
	close(stopping)
	out.wait(t, "Ctrl-C again leaves at once")
	text := stop()
	modes := regexp.MustCompile(`\x1b\[[?>=<][0-9;]*[a-zA-Z$]+`).FindAllString(text, -1)
	hidden := false
	for _, mode := range modes {
		switch mode {
		case "\x1b[?25l":
			hidden = true
		case "\x1b[?25h":
			hidden = false
		default:
			t.Errorf("a mode: %q", mode)
		}
	}
	if hidden {
		t.Error("the cursor stays hidden")
	}
	if i := strings.LastIndex(text, ansi.EraseScreenBelow); i < 0 || strings.Contains(text[i:], "GiB") {
		t.Errorf("not taken away: %q", text[max(len(text)-200, 0):])
	}
}

// One that cannot draw ends by itself, and lets log lines and Stop through.
func TestBarWithoutOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	b := StartBar(BarConfig{Progress: func() Progress { return *sending() }, Out: w, Environ: []string{"TERM=xterm"}, width: 80, height: 24})
	done := make(chan struct{})
	go func() {
		defer close(done)
		fmt.Fprintln(b, "a line")
		b.Stop()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for ever")
	}
}

func TestPlainProgress(t *testing.T) {
	out := &output{}
	ctx, done := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		PlainProgress(ctx, out, func() Progress { return *sending() })
	}()
	out.wait(t, "steps\n")
	time.Sleep(1500 * time.Millisecond)
	done()
	<-ended
	if want := "━━┄┄┄┄┄┄┄┄  3.0 GiB of 12 GiB  15 MiB/s  ETA 10m14s  1,204 of 13,412 steps\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
