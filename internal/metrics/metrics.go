// Package metrics is what an operator watches, for Prometheus. Its labels have few
// values, all of them ours: callers cannot make up new ones, and no user, booking or
// credential is in them.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins every name of ours.
const namespace = "bookings"

// maxScrapes is how many scrapes are answered at a time.
const maxScrapes = 4

// Metrics are the figures of one process, in a registry of their own. nil observes
// nothing.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	lateness prometheus.Histogram
}

// New makes the metrics that are counted as things happen, and those of Go and of
// the process. Watch adds those that are read when they are asked for.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "requests_total", Help: "Requests answered, by method and code.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "request_duration_seconds", Help: "From a request's arrival to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method"}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "reminder_lateness_seconds", Help: "From when a reminder was due to its event.",
			Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.lateness,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ObserveRequest is middleware.Handler's Observe.
func (m *Metrics) ObserveRequest() func(method, code string, took time.Duration) {
	if m == nil {
		return nil
	}
	return func(method, code string, took time.Duration) {
		m.requests.WithLabelValues(method, code).Inc()
		m.duration.WithLabelValues(method).Observe(took.Seconds())
	}
}

// ObserveLateness is remind.Worker's Late.
func (m *Metrics) ObserveLateness() func(time.Duration) {
	if m == nil {
		return nil
	}
	return func(late time.Duration) { m.lateness.Observe(max(0, late).Seconds()) }
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}
