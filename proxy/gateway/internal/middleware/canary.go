package middleware

import (
	"net/http"

	"lockstep/gateway/internal/exchange"
)

// TrackCookie pins a browser session to one upstream of one shard; its value is the shard, a dot, and "stable" or "canary".
// It is not signed: whoever forges it chooses between two upstreams that both serve the public, and nothing else.
const TrackCookie = "lockstep_track"

// Canary decides whether the session belongs to the shard's canary. The weight decides for new sessions only, by a hash of the
// tenant (of the client's address while there is none): a session keeps what it began with when the weight rises or falls, even to 0 or
// 100. It ends with the canary's removal from the routing file.
func Canary(enabled bool, next http.Handler) http.Handler {
	if !enabled {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		if e.Shard.Canary.Address == "" {
			next.ServeHTTP(w, r)
			return
		}
		stable, canary := e.Shard.Name+".stable", e.Shard.Name+".canary"
		for _, cookie := range r.CookiesNamed(TrackCookie) {
			if cookie.Value == stable || cookie.Value == canary {
				e.Canary = cookie.Value == canary
				next.ServeHTTP(w, r)
				return
			}
		}
		key := e.Tenant
		if key == "" {
			key = e.Client
		}
		e.Canary = e.Shard.OnCanary(key)
		cookie := http.Cookie{Name: TrackCookie, Value: stable, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: e.Scheme == "https"}
		if e.Canary {
			cookie.Value = canary
		}
		e.BeforeHeader(func(h http.Header) { h.Add("Set-Cookie", cookie.String()) })
		next.ServeHTTP(w, r)
	})
}
