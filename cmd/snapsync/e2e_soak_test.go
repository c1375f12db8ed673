//go:build linux && soak

package main_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The soak is the model test of watching for as long as one likes. scripts/soak starts it.
var soakTime = flag.Duration("e2e.soak", 0, "how long to soak; 0: not at all")

// What a process may have more at the end than at the beginning, both at rest.
const (
	moreGoroutines  = 15
	moreDescriptors = 10
	moreMemory      = 24 << 20
)

func TestSoak(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("it takes as long as one says: scripts/soak 10m")
	}
	seed := anySeed(t)
	p := buildPrograms(t)
	until := time.Now().Add(*soakTime)
	for i, r := range remotes(t) {
		if r.name != "directory" && r.name != "sftp" && r.name != "s3" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := p.watched(t, r, seed+uint64(i))
			if r.name != "directory" {
				w.lasting, w.server = true, r.name
			}
			s := soak{watched: w, name: r.name}
			s.run(until)
		})
	}
}

// soak is one mapping in it.
type soak struct {
	*watched
	name     string
	figures  []figures // at rest, in order
	reported time.Time
}

// daemon.figures are what a process says about itself.
type figures struct {
	goroutines, descriptors, memory, cycles, lag float64
}

func (s *soak) run(until time.Time) {
	s.rest()
	s.judge()
	for time.Now().Before(until) && !s.t.Failed() {
		s.tumult()
		s.tree.log = s.tree.log[max(0, len(s.tree.log)-500):]
		f := s.ask()
		s.figures = append(s.figures, f)
		if time.Since(s.reported) >= time.Minute {
			s.reported = time.Now()
			s.report(f)
		}
	}
	s.report(s.ask())
	fmt.Printf("%s: troubles: %v\n", s.name, s.befell)
	if s.lasting {
		s.growth()
	}
}

func (s *soak) report(f figures) {
	fmt.Printf("%s %-9s %5d edits %6.0f cycles %4.0f goroutines %4.0f descriptors %5.1f MB resident %5.2f s lag\n",
		time.Now().Format(time.TimeOnly), s.name, s.edits, f.cycles, f.goroutines, f.descriptors, f.memory/1e6, f.lag)
}

// growth compares the first and the last third: the median of each, so that one garbage collection more or
// less counts for nothing.
func (s *soak) growth() {
	third := len(s.figures) / 3
	if third == 0 {
		s.t.Logf("%s: too short to see whether anything grows", s.name)
		return
	}
	for _, g := range []struct {
		what string
		of   func(figures) float64
		more float64
	}{
		{"goroutines", func(f figures) float64 { return f.goroutines }, moreGoroutines},
		{"descriptors", func(f figures) float64 { return f.descriptors }, moreDescriptors},
		{"memory", func(f figures) float64 { return f.memory }, moreMemory},
	} {
		first, last := middle(s.figures[:third], g.of), middle(s.figures[len(s.figures)-third:], g.of)
		fmt.Printf("%s: %s: %.0f in the first third, %.0f in the last\n", s.name, g.what, first, last)
		if last > first+g.more {
			s.t.Errorf("%s: %s grew from %.0f to %.0f", s.name, g.what, first, last)
		}
	}
}

func middle(all []figures, of func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = of(all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ask reads the metrics from the control socket.
func (s *soak) ask() (f figures) {
	s.t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket.Path())
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	reply, err := client.Get("http://snapsync/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range []struct {
		name string
		to   *float64
	}{
		{"go_goroutines", &f.goroutines}, {"process_open_fds", &f.descriptors}, {"process_resident_memory_bytes", &f.memory},
		{"snapsync_cycles_total", &f.cycles}, {"snapsync_lag_seconds", &f.lag},
	} {
		if !metric(text, m.name, m.to) {
			fmt.Fprintf(os.Stderr, "%s\n", text)
			s.t.Fatalf("no metric %s", m.name)
		}
	}
	return f
}

// metric finds the value in lines "name value" or `name{label="…"} value`.
func metric(text []byte, name string, to *float64) bool {
	for line := range bytes.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(string(line)), name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		*to = value
		return err == nil
	}
	return false
}
