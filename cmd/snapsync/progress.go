package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/journal"
)

// progress is the live view of a run: a bar with bytes, rate and time left, and beneath it the
// transfers in flight. Log lines scroll above. It costs one short critical section per event and
// draws a few times a second, however many files there are. A nil progress shows nothing.
//
// The library only refreshes, scrolls and measures the terminal; it asks for the lines when it draws.
// Events never call it: it draws under a lock of its own, and the two would wait for each other.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
	end  func()
	now  func() time.Time

	mu     sync.Mutex // guards the rest
	phase  string
	begun  time.Time // of the transfers
	steps  int64     // planned
	done   int64
	total  int64                // bytes planned
	bytes  int64                // bytes read
	active map[string]*transfer // by path
	rate   rate
}

// transfer is one upload in flight.
type transfer struct {
	path        string
	begun       time.Time
	size, bytes int64
}

// activeShown is how many transfers have a line of their own.
const activeShown = 8

// startProgress shows progress where a person can see it, or where it was asked for.
func (a *app) startProgress(asked bool) *progress {
	if a.Quiet || a.JSON || !asked && !isTerminal(a.stdout) {
		return nil
	}
	p := &progress{now: time.Now, phase: "starting", active: map[string]*transfer{}}
	options := []mpb.ContainerOption{mpb.WithOutput(a.stdout), mpb.WithRefreshRate(200 * time.Millisecond)}
	if !isTerminal(a.stdout) {
		options = append(options, mpb.WithAutoRefresh(), mpb.WithWidth(80), mpb.WithRefreshRate(time.Second))
	}
	p.bars = mpb.NewWithContext(a.ctx, options...)
	p.bar = p.bars.MustAdd(0, mpb.BarFillerFunc(p.headline), mpb.BarRemoveOnComplete(),
		mpb.BarExtender(mpb.BarFillerFunc(p.transfers), false))
	p.end = a.screen.over(p.bars)
	return p
}

// stop takes the view away and leaves the terminal as it was.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.end()
	p.bar.Abort(true)
	p.bars.Wait()
}

// observe takes in one event of the engine.
func (p *progress) observe(ev event.Event) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev.Type {
	case event.Phase:
		p.phase = ev.Text
	case event.Planned:
		p.plan(ev)
	case event.StepStart:
		p.begin(ev.Step)
	case event.StepProgress:
		p.read(ev.Step, ev.Bytes)
	case event.StepRetry:
		p.forget(ev.Step)
	case event.StepDone:
		p.done++
		delete(p.active, ev.Step.Path)
	}
}

func (p *progress) plan(ev event.Event) {
	p.begun, p.steps, p.total, p.done, p.bytes = p.now(), ev.Steps, ev.UploadBytes, 0, 0
}

func (p *progress) begin(s *journal.Step) {
	if s.Action == journal.Send && s.How == journal.Upload {
		p.active[s.Path] = &transfer{path: s.Path, begun: p.now(), size: s.New.Size}
	}
}

func (p *progress) read(s *journal.Step, n int64) {
	p.bytes += n
	p.rate.add(p.now(), n)
	if t := p.active[s.Path]; t != nil {
		t.bytes += n
	}
}

// forget takes back what an attempt that failed had read.
func (p *progress) forget(s *journal.Step) {
	if t := p.active[s.Path]; t != nil {
		p.bytes -= t.bytes
		t.bytes = 0
	}
}

// headline draws the first line.
func (p *progress) headline(w io.Writer, stat decor.Statistics) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.phase + " …"
	if p.steps > 0 {
		line = fmt.Sprintf("%s of %s  %s  %s", size(p.bytes), size(p.total), gauge(p.bytes, p.total), p.figures())
	}
	_, err := io.WriteString(w, fit(line, stat.AvailableWidth))
	return err
}

// figures are rate, time left and steps. The caller holds the lock.
func (p *progress) figures() string {
	perSecond := p.rate.at(p.now())
	left := "–"
	if perSecond > 0 && p.total > p.bytes {
		left = time.Duration(float64(p.total-p.bytes) / perSecond * float64(time.Second)).Round(time.Second).String()
	}
	return fmt.Sprintf("%s/s  ETA %s  %s of %s", size(int64(perSecond)), left, count(p.done), counted(p.steps, "step"))
}

const gaugeWidth = 20

func gauge(n, total int64) string {
	full := gaugeWidth
	if total > 0 {
		full = int(min(max(n, 0)*gaugeWidth/total, gaugeWidth))
	}
	return strings.Repeat("━", full) + strings.Repeat("┄", gaugeWidth-full)
}

// transfers draws a line for each of the oldest transfers in flight.
func (p *progress) transfers(w io.Writer, stat decor.Statistics) error {
	for _, t := range p.oldest() {
		percent := int64(100)
		if t.size > 0 {
			percent = min(t.bytes*100/t.size, 100)
		}
		line := fmt.Sprintf(" %3d%%  %9s  %s", percent, size(t.size), show(t.path))
		if _, err := fmt.Fprintln(w, fit(line, stat.AvailableWidth)); err != nil {
			return err
		}
	}
	return nil
}

func (p *progress) oldest() []transfer {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]transfer, 0, len(p.active))
	for _, t := range p.active {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b transfer) int {
		return cmp.Or(a.begun.Compare(b.begun), cmp.Compare(a.path, b.path))
	})
	return all[:min(len(all), activeShown)]
}

// fit cuts a line to the cells of a terminal, in the middle, so that the end of a path stays readable.
func fit(line string, width int) string {
	cells := runewidth.StringWidth(line)
	if width < 20 || cells <= width {
		return line
	}
	head := runewidth.Truncate(line, width/2, "") + "…"
	return head + runewidth.TruncateLeft(line, cells-(width-runewidth.StringWidth(head)), "")
}

// rate is bytes per second over the last few seconds.
type rate struct {
	slots [rateSlots]int64 // bytes in each of the last seconds
	last  int64            // the second of the newest slot
	first int64            // the second of the first byte
}

const rateSlots = 8

func (r *rate) add(now time.Time, n int64) {
	r.advance(now.Unix())
	r.slots[r.last%rateSlots] += n
}

func (r *rate) advance(second int64) {
	if r.first == 0 {
		r.first, r.last = second, second
	}
	for r.last < second {
		r.last++
		r.slots[r.last%rateSlots] = 0
		if second-r.last > rateSlots {
			r.last = second - rateSlots
		}
	}
}

func (r *rate) at(now time.Time) float64 {
	if r.first == 0 {
		return 0
	}
	r.advance(now.Unix())
	var sum int64
	for _, n := range r.slots {
		sum += n
	}
	return float64(sum) / float64(min(now.Unix()-r.first+1, rateSlots))
}
