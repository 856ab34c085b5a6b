package middleware

import (
	"net/http"
	"sync/atomic"

	"lockstep/proxy/gateway/internal/exchange"
)

// Drain counts requests in flight, including WebSockets, and while draining closes each connection after its next response. Closing
// idle connections at once would race with requests that are already on their way.
func Drain(draining *atomic.Bool, inFlight *atomic.Int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inFlight.Add(1)
		defer inFlight.Add(-1)
		exchange.From(r.Context()).BeforeHeader(func(h http.Header) {
			if draining.Load() {
				h.Set("Connection", "close")
			}
		})
		next.ServeHTTP(w, r)
	})
}
