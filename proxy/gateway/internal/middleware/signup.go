package middleware

import (
	"net/http"
	"path"
	"strings"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
)

// SignUp responds with 403 at and below the paths while sign-up is closed. It compares as leniently as the most lenient
// application would: it ignores case, repeated slashes and path parameters.
func SignUp(open bool, paths []string, next http.Handler) http.Handler {
	if open {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if below(r.URL.Path, paths) {
			exchange.From(r.Context()).Refuse(r, page.SignUpClosed, nil)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func below(given string, paths []string) bool {
	if strings.IndexByte(given, ';') >= 0 {
		segments := strings.Split(given, "/")
		for i := range segments {
			segments[i], _, _ = strings.Cut(segments[i], ";")
		}
		given = strings.Join(segments, "/")
	}
	given = strings.ToLower(path.Clean(given))
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(given, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}
