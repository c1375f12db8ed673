package console

import (
	"bytes"
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
	read := make([]byte, length)
	got, told := 0, ""
	for told == "" {
		if _, err := io.ReadFull(reader, read); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%0*d\n", length-1, got); string(read) != want {
			t.Fatalf("line %d is %q", got, bytes.TrimLeft(read, "0"))
		}
		if got++; got*length > maxQueued && len(log) == 0 {
			reader.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) // it may have been the last
			n, err := reader.Read(read[:1])
			reader.SetReadDeadline(time.Time{})
			if n == 1 {
				if _, err = io.ReadFull(reader, read[1:]); err != nil {
					t.Fatal(err)
				}
				got++
			}
		}
		if len(log) > 0 || got >= lines {
			told = log.next(t)
		}
	}
	for { // what the pipe still held when the queue was empty
		reader.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := io.ReadFull(reader, read); err != nil {
			break
		}
		got++
	}
	reader.SetReadDeadline(time.Time{})
	if want := fmt.Sprintf("lines=%d", lines-got); !strings.Contains(told, want) || got == lines {
		t.Errorf("%d of %d lines arrived, and the log says %q", got, lines, told)
	}
	fmt.Fprintln(out, "again")
	out.Close()
	if n, err := reader.Read(read); err != nil || string(read[:n]) != "again\n" {
		t.Errorf("then: %q, %v", read[:n], err)
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
