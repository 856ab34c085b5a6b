// Package telemetry holds the gateway's metrics and its admin pages.
package telemetry

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics holds all metrics in one registry; New creates it. Labels are shards, roles and codes, which the operator
// defines, and never tenants, hosts or paths, because clients could create any number of them.
type Metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	InFlight    prometheus.Gauge
	Problems    *prometheus.CounterVec // label code: the problem page's code
	Unparsed    *prometheus.CounterVec // label status: requests refused before a handler saw them
	Aborted     *prometheus.CounterVec // label shard: responses aborted within the body
	Retries     *prometheus.CounterVec // labels shard, role: requests retried at this upstream after another failed
	Health      *prometheus.GaugeVec   // label upstream: 1 if healthy, otherwise 0
	Reloads     *prometheus.CounterVec // label outcome: accepted or refused
	ReloadTime  prometheus.Gauge       // Unix time at which the current table was accepted
	Maintenance *prometheus.GaugeVec   // label shard, "" for the edition: 1 if on
	Weight      *prometheus.GaugeVec   // label shard: canary weight in percent
	Draining    prometheus.Gauge
	Limiters    prometheus.Gauge // tenants with a limiter
}

// New returns the metrics of an edition.
func New(edition string) *Metrics {
	labels := prometheus.Labels{"edition": edition}
	counter := func(name, help string, names ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gateway_" + name, Help: help, ConstLabels: labels}, names)
	}
	gauges := func(name, help string, names ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gateway_" + name, Help: help, ConstLabels: labels}, names)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "gateway_" + name, Help: help, ConstLabels: labels})
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("requests_total", "Requests answered, by shard, role of the upstream and status.", "shard", "role", "status"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gateway_request_seconds", Help: "Time from the request's header to the end of the response.",
			ConstLabels: labels, Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"shard"}),
		InFlight:    gauge("requests_in_flight", "Requests in flight, including WebSockets."),
		Problems:    counter("problems_total", "Problem pages sent by the gateway, by code.", "code"),
		Unparsed:    counter("unparsed_total", "Requests refused before they reached a handler.", "status"),
		Aborted:     counter("aborted_total", "Responses aborted within the body.", "shard"),
		Retries:     counter("retries_total", "Requests retried at another upstream.", "shard", "role"),
		Health:      gauges("upstream_healthy", "1 if the upstream passes its health check.", "upstream"),
		Reloads:     counter("routing_reloads_total", "Routing files read, by outcome.", "outcome"),
		ReloadTime:  gauge("routing_table_timestamp_seconds", "Time at which the current routing table was accepted."),
		Maintenance: gauges("maintenance", "1 if the maintenance page is shown; shard is empty for the whole edition.", "shard"),
		Weight:      gauges("canary_weight_percent", "Percentage of new sessions that go to the canary.", "shard"),
		Draining:    gauge("draining", "1 while the gateway is draining."),
		Limiters:    gauge("rate_limited_tenants", "Tenants whose request rate is being tracked."),
	}
	m.registry.MustRegister(m.requests, m.duration, m.InFlight, m.Problems, m.Unparsed, m.Aborted, m.Retries, m.Health, m.Reloads, m.ReloadTime,
		m.Maintenance, m.Weight, m.Draining, m.Limiters, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe records one finished request.
func (m *Metrics) Observe(shard, role string, status int, took time.Duration) {
	m.requests.WithLabelValues(shard, role, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(shard).Observe(took.Seconds())
}

// Admin serves /metrics, /healthz (200 while the process runs) and /readyz (200, or 503 with the reason).
func Admin(m *Metrics, ready func() (bool, string)) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ok, why := ready(); !ok {
			respond(w, http.StatusServiceUnavailable, why)
			return
		}
		respond(w, http.StatusOK, "ready")
	})
	return mux
}

func respond(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // fails only if the prober is gone
}
