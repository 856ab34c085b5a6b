package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/middleware"
	"lockstep/proxy/gateway/internal/upstream"
)

// plain forwards the requests that upstream.Takes accepts, like httputil.ReverseProxy, but without copying the request: this is the last step, so
// the original request is no longer needed. All other requests go to otherwise.
type plain struct {
	transport http.RoundTripper
	tell      func(h http.Header, e *exchange.Exchange, r *http.Request)
	otherwise http.Handler
	buffers   *buffers
}

// hopByHop lists headers that are dropped from requests, in addition to those dropped by middleware.Clean, and from responses.
var hopByHop = [...]string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !upstream.Takes(r) || !plainQuery(r.URL.RawQuery) {
		p.otherwise.ServeHTTP(w, r)
		return
	}
	e := exchange.From(r.Context())
	h := r.Header
	trailers := httpguts.HeaderValuesContainsToken(h["Te"], "trailers")
	drop(h)
	if trailers {
		h["Te"] = []string{"trailers"}
	}
	p.tell(h, e, r)
	e.Early = func(status int, early http.Header) {
		to := w.Header()
		merge(to, early)
		w.WriteHeader(status)
		clear(to) // they don't belong to the response
	}
	res, err := p.transport.RoundTrip(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer res.Body.Close()
	drop(res.Header)
	sanitizeResponse(res.Header)
	to := w.Header()
	merge(to, res.Header)
	announced := len(res.Trailer)
	for name := range res.Trailer {
		to.Add("Trailer", name)
	}
	w.WriteHeader(res.StatusCode)
	if err := p.copy(w, res); err != nil {
		panic(http.ErrAbortHandler) // a truncated response must not look complete
	}
	if len(res.Trailer) == 0 {
		return
	}
	// Flush, because the server would otherwise add a Content-Length to a short response, which then could have no trailers.
	_ = http.NewResponseController(w).Flush() // fails if the client is gone
	for name, values := range res.Trailer {
		if len(res.Trailer) != announced {
			name = http.TrailerPrefix + name
		}
		to[name] = append(to[name], values...)
	}
}

// copy sends the body. If it may be a stream, it flushes the header and each part at once.
func (p *plain) copy(w http.ResponseWriter, res *http.Response) error {
	if res.Body == http.NoBody {
		return nil
	}
	flush := func() error { return nil }
	if res.ContentLength < 0 || eventStream(res.Header) {
		flush = http.NewResponseController(w).Flush
		if err := flush(); err != nil {
			return err
		}
	}
	buffer := p.buffers.Get()
	defer p.buffers.Put(buffer)
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			if err := flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) && err != io.ErrUnexpectedEOF { //nolint:errorlint // io.ErrUnexpectedEOF is a different error
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func merge(to, from http.Header) {
	for name, values := range from {
		if already := to[name]; len(already) > 0 {
			values = append(already, values...)
		}
		to[name] = values
	}
}

// drop deletes hop-by-hop headers, including those listed in Connection.
func drop(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				h.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// plainQuery reports whether all parsers read a query alike. httputil.ReverseProxy drops parts for which that is not the case.
func plainQuery(query string) bool {
	hex := func(b byte) bool { return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F' }
	for i := 0; i < len(query); i++ {
		if query[i] == ';' || query[i] == '%' && (i+2 >= len(query) || !hex(query[i+1]) || !hex(query[i+2])) {
			return false
		}
	}
	return true
}

func eventStream(h http.Header) bool {
	values := h["Content-Type"]
	return len(values) > 0 && strings.HasPrefix(values[0], "text/event-stream")
}

// setForwarded sets the headers that describe the client.
func setForwarded(h http.Header, e *exchange.Exchange, r *http.Request) {
	values := [...]string{e.Client, r.Host, e.Scheme, e.ID, e.Shard.Name, e.Tenant}
	if e.Client != "" {
		h["X-Forwarded-For"] = values[0:1:1]
	} else {
		delete(h, "X-Forwarded-For")
	}
	h["X-Forwarded-Host"] = values[1:2:2]
	h["X-Forwarded-Proto"] = values[2:3:3]
	h[middleware.RequestID] = values[3:4:4]
	h["X-Lockstep-Shard"] = values[4:5:5]
	if e.Tenant != "" {
		h["X-Lockstep-Tenant"] = values[5:6:6]
	}
}
