// Package middleware holds the steps that a request takes before it is proxied, one per file. internal/gateway defines their order.
package middleware

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
	"lockstep/proxy/gateway/internal/telemetry"
	"lockstep/proxy/gateway/internal/wire"
)

// RequestID is the header that carries the request id to the upstream and back to the client.
const RequestID = "X-Request-Id"

// Access creates the exchange with its request id, and at the end counts the request and writes one line to the access log. log receives
// panics. The query is not logged because it may hold personal data. A panic becomes a problem page if nothing was sent yet, and aborts
// the response otherwise.
func Access(log *slog.Logger, lines *Lines, metrics *telemetry.Metrics, accessLog bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &exchange.Exchange{ResponseWriter: w, Started: time.Now(), Scheme: "http"}
		conn := wire.Of(r)
		e.Trusted = conn != nil && conn.Trusted()
		if e.Trusted {
			if ids := r.Header[RequestID]; len(ids) == 1 && validID(ids[0]) {
				e.ID = ids[0]
			}
		}
		if e.ID == "" {
			var random [16]byte
			_, _ = rand.Read(random[:]) // never fails
			e.ID = hex.EncodeToString(random[:])
		}
		e.BeforeHeader(func(h http.Header) { h.Set(RequestID, e.ID) })
		r = e.Attach(r)
		metrics.InFlight.Inc()
		aborted := true
		defer func() {
			fault := recover()
			if conn != nil {
				conn.End()
			}
			if fault != nil && fault != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
				log.Error("panic", "request_id", e.ID, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
				if e.Status == 0 {
					e.Refuse(r, page.Internal, nil)
					fault, aborted = nil, false
				} else {
					fault = http.ErrAbortHandler
				}
			}
			metrics.InFlight.Dec()
			finish(lines, metrics, accessLog, e, r, aborted)
			if fault != nil {
				panic(fault)
			}
		}()
		if conn != nil {
			if reason := conn.Begin(r); reason != "" {
				w.Header().Set("Connection", "close")
				e.Refuse(r, page.BadRequest("The request is ambiguous."), errors.New(reason))
				aborted = false
				return
			}
		}
		next.ServeHTTP(e, r)
		aborted = false
	})
}

func finish(lines *Lines, metrics *telemetry.Metrics, accessLog bool, e *exchange.Exchange, r *http.Request, aborted bool) {
	took := time.Since(e.Started)
	shard := ""
	if e.Shard != nil {
		shard = e.Shard.Name
	}
	metrics.Observe(shard, e.Role, e.Status, took)
	if e.Problem != "" {
		metrics.Problems.WithLabelValues(e.Problem).Inc()
	}
	if aborted {
		metrics.Aborted.WithLabelValues(shard).Inc()
	}
	level := slog.LevelInfo
	if aborted || e.Status >= 500 && e.Problem != "maintenance" {
		level = slog.LevelWarn
	}
	if !accessLog && level == slog.LevelInfo {
		return
	}
	line := lines.begin(e.Started.Add(took), level)
	b := text(*line, "request_id", e.ID)
	b = text(b, "client", e.Client)
	b = text(b, "method", r.Method)
	b = text(b, "host", r.Host)
	b = text(b, "path", r.URL.Path)
	b = number(b, "status", int64(e.Status))
	b = number(b, "bytes", e.Bytes)
	b = milliseconds(b, "ms", took)
	for _, pair := range [...][2]string{{"tenant", e.Tenant}, {"shard", shard}, {"role", e.Role}, {"upstream", e.Upstream}, {"problem", e.Problem}} {
		if pair[1] != "" {
			b = text(b, pair[0], pair[1])
		}
	}
	if aborted {
		b = append(b, `,"aborted":true`...)
	}
	if e.Cause != nil {
		b = text(b, "error", e.Cause.Error())
	}
	*line = b
	lines.write(line)
}

// validID accepts the form of nginx's $request_id and of common tracing ids.
func validID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	return strings.IndexFunc(id, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
	}) < 0
}

func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return "" // a Unix socket has none
	}
	return host
}
