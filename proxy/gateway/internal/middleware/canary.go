package middleware

import (
	"net/http"

	"lockstep/proxy/gateway/internal/exchange"
)

// TrackCookie pins a browser session to one upstream of one shard. Its value is the shard, a dot, and "stable" or "canary".
// It is not signed, because forging it only chooses between two public upstreams.
const TrackCookie = "lockstep_track"

// Canary decides whether the session uses the shard's canary. The weight applies only to new sessions, by a hash of the tenant (or of
// the client's address if there is no tenant). A session keeps its upstream when the weight changes, even to 0 or 100, until the canary is
// removed from the routing file. If the canary fails, its sessions move to stable once and for all.
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
			// Pin the upstream that answered, not the one that was chosen. Otherwise a session that saw the canary down would switch
			// when it comes back. The fallback and the gateway's own pages pin nothing.
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
