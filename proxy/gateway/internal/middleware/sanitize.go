package middleware

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/http/httpguts"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
)

// the client certificate's fields, and the headers that the gateway itself sends to upstreams
const (
	certificatePrefix = "X-Client-Cert-"
	forwardedPrefix   = "X-Forwarded-"
	ownPrefix         = "X-Lockstep-"
)

// Sanitize removes headers that can't be trusted. It accepts the client's address, the scheme and the certificate's fields only from
// the first hop's socket, and drops them from anywhere else. Ambiguous requests are refused.
func Sanitize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		refuse := func(problem page.Problem, reason string) {
			w.Header().Set("Connection", "close")
			e.Refuse(r, problem, errors.New(reason))
		}
		if r.ProtoMajor != 1 || r.ProtoMinor != 1 {
			refuse(page.VersionNotSupported, "the first hop must speak HTTP/1.1")
			return
		}
		if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
			refuse(page.MethodNotAllowed, r.Method)
			return
		}
		if reason := ambiguousPath(r); reason != "" {
			refuse(page.BadRequest("The address is ambiguous."), reason)
			return
		}
		facts, reason := Clean(r.Header, e.Trusted)
		if reason != "" {
			refuse(page.BadRequest("The request's header is ambiguous."), reason)
			return
		}
		e.Client = addressOf(r.RemoteAddr)
		if e.Trusted {
			if facts.Client.IsValid() {
				e.Client = facts.Client.String()
			}
			if facts.Scheme != "" {
				e.Scheme = facts.Scheme
			}
		}
		// SetXForwarded reads the client's address from here.
		r.RemoteAddr = ""
		if e.Client != "" {
			r.RemoteAddr = net.JoinHostPort(e.Client, "0")
		}
		next.ServeHTTP(w, r)
	})
}

// Facts is what the first hop reports about the client. The zero value is valid and means nothing is known.
type Facts struct {
	Client netip.Addr
	Scheme string // "", "http" or "https"
}

// Clean changes h in place. It returns the first hop's facts if it is trusted, or the reason why the request must be refused.
//
// Only the last address of X-Forwarded-For is used, which the first hop itself added. Afterwards h has no X-Forwarded-*,
// Forwarded or X-Lockstep-* header; no name with an underscore, which many applications read as a hyphen; certificate fields only
// from the first hop and each at most once; and no Connection header that names other headers, which would make a proxy drop them.
func Clean(h http.Header, trusted bool) (Facts, string) {
	var facts Facts
	for name, values := range h {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return facts, "a header name is not a token"
		case strings.IndexByte(name, '_') >= 0:
			delete(h, name)
		case strings.HasPrefix(name, certificatePrefix):
			if !trusted {
				delete(h, name)
			} else if len(values) != 1 {
				return facts, name + " appears more than once"
			}
		case strings.HasPrefix(name, forwardedPrefix):
			if trusted && name == "X-Forwarded-For" && len(values) > 0 {
				last := values[len(values)-1]
				last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
				address, err := netip.ParseAddr(last)
				if err != nil {
					return facts, "the last of X-Forwarded-For is not an address"
				}
				facts.Client = address.Unmap().WithZone("")
			}
			if trusted && name == "X-Forwarded-Proto" {
				if len(values) != 1 || values[0] != "http" && values[0] != "https" {
					return facts, "X-Forwarded-Proto is neither http nor https"
				}
				facts.Scheme = values[0]
			}
			delete(h, name)
		case strings.HasPrefix(name, ownPrefix):
			delete(h, name)
		}
	}
	websocket := len(h["Upgrade"]) == 1 && strings.EqualFold(h["Upgrade"][0], "websocket") && httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade")
	// Any other upgrade, in particular h2c, would tunnel requests past this middleware.
	for _, name := range dropped {
		delete(h, name)
	}
	if websocket {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	}
	return facts, ""
}

var dropped = [...]string{"Forwarded", "X-Real-Ip", "True-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "Proxy", "Proxy-Connection",
	"Http2-Settings", "Keep-Alive", "Connection", "Upgrade", RequestID}

// ambiguousPath returns why the gateway and an application could resolve the path differently, or "".
func ambiguousPath(r *http.Request) string {
	path := r.URL.Path
	if path == "" || path[0] != '/' {
		return "the path is not absolute"
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || c == '\\' {
			return "the path contains a control character or a backslash"
		}
	}
	if strings.Contains(path, "/.") {
		for segment := range strings.SplitSeq(path, "/") {
			// Java applications cut a segment at its semicolon before they resolve dot segments.
			segment, _, _ = strings.Cut(segment, ";")
			if segment == "." || segment == ".." {
				return "the path contains a dot segment"
			}
		}
	}
	return ""
}
