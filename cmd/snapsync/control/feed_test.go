package control

import (
	"fmt"
	"testing"
	"time"
)

func publish(f *Feed, from, to int) {
	for n := from; n <= to; n++ {
		f.Publish(Event{Type: "step", Data: n})
	}
}

func TestFeedResumes(t *testing.T) {
	f := NewFeed(8)
	publish(f, 1, 3)
	id := f.Last()
	publish(f, 4, 6)
	at, known := f.after(id)
	if !known {
		t.Fatal("its own id is not known")
	}
	events, next, lost, _ := f.read(at, 2)
	if len(events) != 2 || events[0].Data != 4 || lost != 0 {
		t.Fatalf("got %v, lost %d", events, lost)
	}
	events, _, lost, _ = f.read(next, 100)
	if len(events) != 1 || events[0].Data != 6 || lost != 0 {
		t.Fatalf("got %v, lost %d", events, lost)
	}
}

func TestFeedTellsWhatIsLost(t *testing.T) {
	f := NewFeed(4)
	publish(f, 1, 1)
	id := f.Last()
	publish(f, 2, 10)
	at, known := f.after(id)
	events, _, lost, _ := f.read(at, 100)
	if !known || lost != 5 || len(events) != 4 || events[0].Data != 7 {
		t.Errorf("known %v, lost %d, events %v; want 5 lost (2 to 6), then 7 to 10", known, lost, events)
	}
}

func TestFeedOfAnotherProcess(t *testing.T) {
	f := NewFeed(4)
	publish(f, 1, 2)
	for _, id := range []string{"", "x", "other-1", f.epoch + "-3", f.epoch + "-", f.epoch + "--1"} {
		at, known := f.after(id)
		if known {
			t.Errorf("%q is known", id)
		}
		if events, _, lost, _ := f.read(at, 100); len(events) != 2 || lost != 0 {
			t.Errorf("after %q: %d events, lost %d; want the 2 there are", id, len(events), lost)
		}
	}
}

func TestFeedWakesReaders(t *testing.T) {
	f := NewFeed(4)
	_, at, _, grown := f.read(f.now(), 1)
	go f.Publish(Event{Data: "x"})
	select {
	case <-grown:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was woken")
	}
	if events, _, _, _ := f.read(at, 1); len(events) != 1 || events[0].ID != fmt.Sprintf("%s-1", f.epoch) {
		t.Errorf("got %v", events)
	}
}
