package console

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// said collects log lines.
type said chan string

func (s said) Write(p []byte) (int, error) { s <- string(p); return len(p), nil }

func (s said) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-s:
		return line
	case <-time.After(20 * time.Second):
		t.Fatal("the log says nothing")
		return ""
	}
}

func detached(t *testing.T) (reader *os.File, out *Output, log said) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); writer.Close() })
	out, log = &Output{File: writer}, make(said, 10)
	Detach(slog.New(slog.NewTextHandler(log, nil)), out)
	return reader, out, log
}

// TestOutputDropsWhatNobodyReads writes more than pipe and queue hold: no Write waits, what the reader gets are the first lines, whole,
// and the log counts the rest. Then all goes on.
func TestOutputDropsWhatNobodyReads(t *testing.T) {
	reader, out, log := detached(t)
	const lines, length = 3000, 1000
	for i := range lines {
		fmt.Fprintf(out, "%0*d\n", length-1, i)
	}
	read := make(chan []byte, 1)
	go func() {
		all, err := io.ReadAll(reader)
		if err != nil {
			t.Error(err)
		}
		read <- all
	}()
	told := log.next(t)
	fmt.Fprintln(out, "again")
	out.Close()
	<-out.ended
	out.File.Close()
	got := strings.SplitAfter(string(<-read), "\n")
	got = got[:len(got)-1] // what is behind the last line end
	arrived := len(got) - 1
	if want := fmt.Sprintf("lines=%d", lines-arrived); !strings.Contains(told, want) || arrived >= lines || got[arrived] != "again\n" {
		t.Errorf("%d of %d lines arrived and then %q, and the log says %q", arrived, lines, got[arrived], told)
	}
	for i, line := range got[:arrived] {
		if want := fmt.Sprintf("%0*d\n", length-1, i); line != want {
			t.Fatalf("line %d is %q", i, strings.TrimLeft(line, "0"))
		}
	}
}

func TestOutputWithoutReader(t *testing.T) {
	reader, out, log := detached(t)
	reader.Close()
	for range 3 {
		if _, err := fmt.Fprintln(out, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if line := log.next(t); !strings.Contains(line, "its reader is gone") {
		t.Errorf("the log says %q", line)
	}
	out.Close()
	if len(log) > 0 {
		t.Errorf("said again: %q", <-log)
	}
}

// atOnce is a log whose lines make something happen, in the goroutine that logs.
type atOnce func()

func (f atOnce) Write(p []byte) (int, error) { f(); return len(p), nil }

// TestOutputLastWords says something, and ends, in the moment in which all that was queued had been written.
func TestOutputLastWords(t *testing.T) {
	reader, out, _ := detached(t)
	out.mu.Lock()
	out.log = slog.New(slog.NewTextHandler(atOnce(func() {
		fmt.Fprintln(out, "last words")
		out.mu.Lock()
		defer out.mu.Unlock()
		out.closing = true
	}), nil))
	out.dropped = 1 // which the log tells of when the queue is empty
	out.mu.Unlock()
	out.more <- struct{}{}
	<-out.ended
	out.File.Close()
	if all, err := io.ReadAll(reader); err != nil || string(all) != "last words\n" {
		t.Errorf("got %q, %v", all, err)
	}
}
