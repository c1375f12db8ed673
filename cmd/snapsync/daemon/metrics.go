package daemon

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// metrics are the figures for Prometheus. What is counted is counted as it happens; how things stand is
// asked when Prometheus asks. The label mapping is the name in the config file, else the source.
type metrics struct {
	registry *prometheus.Registry
	sent     *prometheus.CounterVec
	steps    *prometheus.CounterVec
	errors   *prometheus.CounterVec
	cycles   *prometheus.CounterVec
	scan     *prometheus.GaugeVec
	last     *prometheus.GaugeVec

	mu    sync.Mutex
	scans map[string]time.Time // since when a mapping's source is being looked at
}

func newMetrics(d *process) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "snapsync", Name: name, Help: help}, append([]string{"mapping"}, labels...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "snapsync", Name: name, Help: help}, []string{"mapping"})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		sent:     counter("sent_bytes_total", "Bytes of files read and sent, attempts that failed included."),
		steps:    counter("steps_total", "Steps that the remote acknowledged.", "action"),
		errors:   counter("errors_total", "Steps and cycles that failed, by class of error.", "class"),
		cycles:   counter("cycles_total", "Cycles: looks at the source, and what followed from them."),
		scan:     gauge("scan_seconds", "How long the last look at the source took."),
		last:     gauge("cycle_seconds", "How long the last cycle took."),
		scans:    make(map[string]time.Time),
	}
	m.registry.MustRegister(m.sent, m.steps, m.errors, m.cycles, m.scan, m.last, figures{d},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler answers GET /metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// observe counts what the engine does.
func (m *metrics) observe(mapping string, ev event.Event) {
	switch ev.Type {
	case event.StepProgress:
		m.sent.WithLabelValues(mapping).Add(float64(max(ev.Bytes, 0)))
	case event.StepDone:
		if ev.Err != nil {
			m.errors.WithLabelValues(mapping, remote.Class(ev.Err)).Inc()
			return
		}
		action := ev.Step.Action.String()
		if ev.Step.Action == journal.Send { // the ways of sending are told apart
			action = ev.Step.How.String()
		}
		m.steps.WithLabelValues(mapping, action).Inc()
	case event.Phase:
		m.scanned(mapping, ev.Text == "scanning")
	}
}

// scanned measures from one phase to the next.
func (m *metrics) scanned(mapping string, begins bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if begun, ok := m.scans[mapping]; ok {
		m.scan.WithLabelValues(mapping).Set(time.Since(begun).Seconds())
		delete(m.scans, mapping)
	}
	if begins {
		m.scans[mapping] = time.Now()
	}
}

// cycle counts the cycles that have ended since they were counted last.
func (m *metrics) cycle(mapping string, ended int64, now *loop.Status) {
	m.cycles.WithLabelValues(mapping).Add(float64(max(ended, 0)))
	m.last.WithLabelValues(mapping).Set(now.Last.Seconds)
	if now.Err != "" {
		m.errors.WithLabelValues(mapping, now.ErrKind).Inc()
	}
}

// forget drops a mapping that is not kept any more.
func (m *metrics) forget(mapping string) {
	label := prometheus.Labels{"mapping": mapping}
	for _, v := range []*prometheus.CounterVec{m.sent, m.steps, m.errors, m.cycles} {
		v.DeletePartialMatch(label)
	}
	for _, v := range []*prometheus.GaugeVec{m.scan, m.last} {
		v.DeletePartialMatch(label)
	}
}

// figures are how things stand at the moment of asking.
type figures struct{ d *process }

func describeFigure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("snapsync_"+name, help, append([]string{"mapping"}, labels...), nil)
}

var (
	figureLag       = describeFigure("lag_seconds", "Age of the oldest change that is not on the remote.")
	figurePending   = describeFigure("pending_steps", "Steps that are to be executed.")
	figureHeld      = describeFigure("held_steps", "Steps that a person must approve.")
	figureFailed    = describeFigure("failed_paths", "Paths that could not be made true.")
	figureFiles     = describeFigure("files", "Files that the remote holds for this mapping.")
	figureBytes     = describeFigure("bytes", "Size of these files.")
	figureSuccess   = describeFigure("last_success_timestamp_seconds", "When everything was last on the remote.")
	figureState     = describeFigure("state", "1 for the state that the mapping is in, 0 for the others.", "state")
	figureHints     = describeFigure("hints", "Paths that wait to be looked at.")
	figureMissed    = describeFigure("missed_changes_total", "Changes that only a full scan found.")
	figureWatched   = describeFigure("watched_directories", "Directories that are watched.")
	figurePolled    = describeFigure("polled_directories", "Directories that can only be looked at now and then.")
	figureOverflows = describeFigure("watch_overflows_total", "How often the system lost events.")
	figureProved    = describeFigure("watch_proved_timestamp_seconds", "When a file-system event was last seen to arrive.")
)

var states = []loop.State{
	loop.Idle, loop.Scanning, loop.Syncing, loop.Offline, loop.Held, loop.Paused, loop.Stopped,
}

// Describe implements prometheus.Collector.
func (figures) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range []*prometheus.Desc{
		figureLag, figurePending, figureHeld, figureFailed, figureFiles, figureBytes, figureSuccess, figureState,
		figureHints, figureMissed, figureWatched, figurePolled, figureOverflows, figureProved,
	} {
		ch <- f
	}
}

// Collect implements prometheus.Collector. A mapping whose state cannot be read gives no figures.
func (c figures) Collect(ch chan<- prometheus.Metric) {
	for _, u := range c.d.kept.list() {
		st, err := u.status()
		if err != nil {
			ch <- prometheus.NewInvalidMetric(figureState, err)
			continue
		}
		set := func(f *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(f, kind, v, append([]string{u.label}, labels...)...)
		}
		set(figureLag, prometheus.GaugeValue, st.LagSeconds)
		set(figurePending, prometheus.GaugeValue, float64(st.Pending))
		set(figureHeld, prometheus.GaugeValue, float64(st.Held))
		set(figureFailed, prometheus.GaugeValue, float64(st.Failed))
		set(figureFiles, prometheus.GaugeValue, float64(st.Files))
		set(figureBytes, prometheus.GaugeValue, float64(st.Bytes))
		if st.LastSuccess != nil {
			set(figureSuccess, prometheus.GaugeValue, stamp(*st.LastSuccess))
		}
		for _, state := range states {
			is := 0.0
			if st.State == string(state) {
				is = 1
			}
			set(figureState, prometheus.GaugeValue, is, string(state))
		}
		if st.Live == nil {
			continue
		}
		set(figureHints, prometheus.GaugeValue, float64(st.Live.Hints))
		set(figureMissed, prometheus.CounterValue, float64(st.Live.Missed))
		set(figureWatched, prometheus.GaugeValue, float64(st.Live.Watch.Watched))
		set(figurePolled, prometheus.GaugeValue, float64(st.Live.Watch.Polled))
		set(figureOverflows, prometheus.CounterValue, float64(st.Live.Watch.Overflows))
		if at := st.Live.Watch.Proved; at != nil {
			set(figureProved, prometheus.GaugeValue, stamp(*at))
		}
	}
}

func stamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
