package middleware

import (
	"errors"
	"net/http"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
	"lockstep/proxy/internal/routing"
)

// Route looks up the tenant and shard in the current routing table. The request keeps that table until its end.
func Route(table func() *routing.Table, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		e.Table = table()
		e.Tenant, e.Shard = e.Table.Route(r)
		if e.Shard == nil {
			e.Refuse(r, page.NotRouted, errors.New("no tenant, host or default matches"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
