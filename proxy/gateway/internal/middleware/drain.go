package middleware

import (
	"net/http"
	"sync/atomic"

	"lockstep/proxy/gateway/internal/exchange"
)

// Drain counts what is in flight, WebSockets included, and closes each connection after its next answer while draining. Closing
// idle connections at once instead would race with requests that are on their way on them.
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
