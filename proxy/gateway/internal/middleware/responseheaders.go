package middleware

import (
	"net/http"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/options"
)

// ResponseHeaders applies the rules in order to every response.
func ResponseHeaders(rules []options.HeaderRule, next http.Handler) http.Handler {
	if len(rules) == 0 {
		return next
	}
	change := func(h http.Header) {
		for _, rule := range rules {
			switch rule.Action {
			case "set":
				h.Set(rule.Name, rule.Value)
			case "default":
				if len(h[rule.Name]) == 0 {
					h.Set(rule.Name, rule.Value)
				}
			case "add":
				h.Add(rule.Name, rule.Value)
			case "remove":
				// Set to nil, not deleted: net/http would otherwise add its own Content-Type or Date.
				h[rule.Name] = nil
			}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchange.From(r.Context()).BeforeHeader(change)
		next.ServeHTTP(w, r)
	})
}
