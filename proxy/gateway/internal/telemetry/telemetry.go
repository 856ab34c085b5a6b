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

// Metrics is one registry with everything in it; New makes it. Labels are shards, roles and codes, all of which the operator
// names: never tenants, hosts or paths, of which a client could make as many as it likes.
type Metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	InFlight    prometheus.Gauge
	Problems    *prometheus.CounterVec // label code: one of the gateway's own pages
	Unparsed    *prometheus.CounterVec // label status: refused before a handler saw the request
	Aborted     *prometheus.CounterVec // label shard: answers cut off in mid-body
	Retries     *prometheus.CounterVec // labels shard, role: a request went on to this upstream after another failed
	Health      *prometheus.GaugeVec   // label upstream: 1 healthy, 0 not
	Reloads     *prometheus.CounterVec // label outcome: accepted or refused
	ReloadTime  prometheus.Gauge       // Unix seconds of the table in force
	Maintenance *prometheus.GaugeVec   // label shard, "" for the edition: 1 on
	Weight      *prometheus.GaugeVec   // label shard: canary weight in per cent
	Draining    prometheus.Gauge
	Limiters    prometheus.Gauge // tenants being counted
}

// New makes an empty registry for an edition.
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
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gateway_request_seconds", Help: "From the request's header to the answer's end.",
			ConstLabels: labels, Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"shard"}),
		InFlight:    gauge("requests_in_flight", "Requests being answered, WebSockets included."),
		Problems:    counter("problems_total", "Answers of the gateway's own, by code.", "code"),
		Unparsed:    counter("unparsed_total", "Requests refused before they could be read.", "status"),
		Aborted:     counter("aborted_total", "Answers cut off in mid-body.", "shard"),
		Retries:     counter("retries_total", "Requests that went on to a further upstream.", "shard", "role"),
		Health:      gauges("upstream_healthy", "1 when the upstream passes its health check.", "upstream"),
		Reloads:     counter("routing_reloads_total", "Routing files judged, by outcome.", "outcome"),
		ReloadTime:  gauge("routing_table_timestamp_seconds", "When the table in force was accepted."),
		Maintenance: gauges("maintenance", "1 when the maintenance page is shown; shard is empty for the whole edition.", "shard"),
		Weight:      gauges("canary_weight_percent", "Part of new sessions that go to the canary.", "shard"),
		Draining:    gauge("draining", "1 from the signal to end on."),
		Limiters:    gauge("rate_limited_tenants", "Tenants whose rate is being counted."),
	}
	m.registry.MustRegister(m.requests, m.duration, m.InFlight, m.Problems, m.Unparsed, m.Aborted, m.Retries, m.Health, m.Reloads, m.ReloadTime,
		m.Maintenance, m.Weight, m.Draining, m.Limiters, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts one request that has ended.
func (m *Metrics) Observe(shard, role string, status int, took time.Duration) {
	m.requests.WithLabelValues(shard, role, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(shard).Observe(took.Seconds())
}

// Admin answers /metrics, /healthz (200 while the process runs) and /readyz (200, or 503 with what is wrong).
func Admin(m *Metrics, ready func() (bool, string)) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { tell(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ok, why := ready(); !ok {
			tell(w, http.StatusServiceUnavailable, why)
			return
		}
		tell(w, http.StatusOK, "ready")
	})
	return mux
}

func tell(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // a prober that is gone asks again
}
