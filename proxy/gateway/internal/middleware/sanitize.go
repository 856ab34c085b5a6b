package middleware

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
)

// certificate facts, and what the gateway itself tells upstreams
const (
	certificatePrefix = "X-Client-Cert-"
	forwardedPrefix   = "X-Forwarded-"
	ownPrefix         = "X-Lockstep-"
)

// Sanitize leaves only headers that can be believed. From the first hop's socket it takes the client's address, the scheme
// and the certificate facts; from anywhere else these are dropped. What is ambiguous is refused and never guessed.
func Sanitize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		refuse := func(problem page.Problem, reason string) {
			w.Header().Set("Connection", "close")
			e.Refuse(r, problem, errors.New(reason))
		}
		if r.ProtoMajor != 1 || r.ProtoMinor != 1 {
			refuse(page.VersionNotSupported(), "the first hop must speak HTTP/1.1")
			return
		}
		if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
			refuse(page.MethodNotAllowed(), r.Method)
			return
		}
		if reason := ambiguousPath(r); reason != "" {
			refuse(page.BadRequest("The address can be read in two ways."), reason)
			return
		}
		facts, reason := Clean(r.Header, e.Trusted)
		if reason != "" {
			refuse(page.BadRequest("The request's header can be read in two ways."), reason)
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
		// SetXForwarded takes the client's address from here.
		r.RemoteAddr = ""
		if e.Client != "" {
			r.RemoteAddr = net.JoinHostPort(e.Client, "0")
		}
		next.ServeHTTP(w, r)
	})
}

// Facts is what the first hop says of the client. The zero value says nothing.
type Facts struct {
	Client netip.Addr
	Scheme string // "", "http" or "https"
}

// Clean changes h in place. It answers what the first hop said, if it is trusted, or why the request must be refused.
//
// Of X-Forwarded-For only the last address counts, the one that the first hop itself saw. Afterwards h holds no X-Forwarded-*,
// Forwarded or X-Lockstep-* header, no name with an underscore (many applications read it as a hyphen), certificate facts only from
// the first hop and each once, and no Connection header that names others, which would have a proxy drop them.
func Clean(h http.Header, trusted bool) (Facts, string) {
	var facts Facts
	for name, values := range h {
		switch {
		case !validName(name):
			return facts, "a header name that is not a token"
		case strings.IndexByte(name, '_') >= 0:
			delete(h, name)
		case strings.HasPrefix(name, certificatePrefix):
			if !trusted {
				delete(h, name)
			} else if len(values) != 1 {
				return facts, name + " more than once"
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
	websocket := len(h["Upgrade"]) == 1 && strings.EqualFold(h["Upgrade"][0], "websocket") && hasToken(h["Connection"], "upgrade")
	// Any other upgrade, h2c above all, would open a tunnel past all of this.
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

// A name that net/http gives us is a token already; this holds for any other caller as well.
func validName(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// ambiguousPath refuses what gateway and application could resolve to different places.
func ambiguousPath(r *http.Request) string {
	path := r.URL.Path
	if path == "" || path[0] != '/' {
		return "the path is not absolute"
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || c == '\\' {
			return "a control character or backslash in the path"
		}
	}
	if strings.Contains(path, "/.") {
		for segment := range strings.SplitSeq(path, "/") {
			// Java applications cut a segment at its semicolon before they resolve the dots.
			segment, _, _ = strings.Cut(segment, ";")
			if segment == "." || segment == ".." {
				return "a dot segment in the path"
			}
		}
	}
	return ""
}
