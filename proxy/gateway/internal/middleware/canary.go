package middleware

import (
	"net/http"

	"lockstep/proxy/gateway/internal/exchange"
)

// TrackCookie pins a browser session to one upstream of one shard; its value is the shard, a dot, and "stable" or "canary".
// It is not signed: whoever forges it chooses between two upstreams that both serve the public, and nothing else.
const TrackCookie = "lockstep_track"

// Canary decides whether the session belongs to the shard's canary. The weight decides for new sessions only, by a hash of the
// tenant (of the client's address while there is none): a session keeps what it began with when the weight rises or falls, even to 0 or
// 100. It ends with the canary's removal from the routing file, and when the canary fails: then the session moves to stable, once.
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
		pin := ""
		for _, cookie := range r.CookiesNamed(TrackCookie) {
			if cookie.Value == stable || cookie.Value == canary {
				pin = cookie.Value
				break
			}
		}
		if pin == "" {
			key := e.Tenant
			if key == "" {
				key = e.Client
			}
			e.Canary = e.Shard.OnCanary(key)
		} else {
			e.Canary = pin == canary
		}
		e.BeforeHeader(func(h http.Header) {
			// Who answered counts, not who was chosen: otherwise a session that began while the canary was down, or saw it die,
			// would flip when it comes back. The fallback and the gateway's own pages pin nothing.
			answered := e.Shard.Name + "." + e.Role
			if e.Problem != "" || answered == pin || answered != stable && answered != canary {
				return
			}
			cookie := http.Cookie{Name: TrackCookie, Value: answered, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: e.Scheme == "https"}
			h.Add("Set-Cookie", cookie.String())
		})
		next.ServeHTTP(w, r)
	})
}
