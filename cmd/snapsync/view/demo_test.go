//go:build demo

package view

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

var demo = flag.Duration("view.demo", 0, "show the view on this terminal for so long, with a made-up process")

// TestDemo is for looking at the view:
//
//	go test -c -o demo ./cmd/snapsync/view && ./demo -test.run Demo -view.demo 1m
func TestDemo(t *testing.T) {
	if *demo == 0 {
		t.Skip("demo: only with -view.demo, on a terminal")
	}
	ctx, done := context.WithTimeout(t.Context(), *demo)
	defer done()
	show := &pretence{begun: time.Now(), log: &Log{}, paused: map[string]bool{}}
	err := Run(ctx, Config{
		Source: show, Log: show.log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
		Actions: Actions{
			Pause: func(m string) error { return show.pause(m, true) }, Resume: func(m string) error { return show.pause(m, false) },
			Sync: func(string) error { return fmt.Errorf("nothing to sync in a demo") },
			Quit: func() { time.AfterFunc(3*time.Second, done) }, Kill: done,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pretence is a process that pretends to work.
type pretence struct {
	begun  time.Time
	log    *Log
	mu     sync.Mutex
	paused map[string]bool
	beat   int
}

func (p *pretence) pause(name string, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range busy().mappings {
		if name == "" || m.Status.Mapping == name {
			p.paused[m.Status.Mapping] = on
		}
	}
	return nil
}

// Snapshot implements Source.
func (p *pretence) Snapshot() []Mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	shift := now.Sub(noon)
	all := busy().mappings
	for i := range all {
		m := &all[i]
		since := m.Since.Add(p.begun.Sub(noon))
		m.Since = &since
		for j := range m.Recent {
			m.Recent[j].At = m.Recent[j].At.Add(shift)
		}
		for j, was := range m.transfers(noon) {
			t := &m.Live.Transfers[j]
			t.Done = (t.Done + int64(now.Sub(p.begun).Seconds()*was.Rate)) % (t.Size + 1)
			t.Since = now.Add(-time.Duration(float64(t.Done) / max(was.Rate, 1) * float64(time.Second)))
		}
		if p.paused[m.Status.Mapping] {
			m.State, m.Why, m.Live = "paused", "by a person; p resumes", nil
		}
	}
	if p.beat++; p.beat%8 == 0 {
		fmt.Fprintf(p.log, "%s INFO  : something happened for the %dth time\n", now.Format("2006/01/02 15:04:05"), p.beat/8)
	}
	return all
}
