package middleware

import (
	"net/http"
	"strconv"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
	"lockstep/proxy/internal/routing"
)

// Maintenance responds with 503 while the flag, the edition or the request's shard is in maintenance, in this order.
func Maintenance(always bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		for _, m := range [...]routing.Maintenance{{On: always}, e.Table.Maintenance, e.Shard.Maintenance} {
			if !m.On {
				continue
			}
			if m.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(m.RetryAfter/time.Second)))
			}
			e.Refuse(r, page.Maintenance(m.Message), nil)
			return
		}
		next.ServeHTTP(w, r)
	})
}
