package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/middleware"
	"lockstep/proxy/gateway/internal/upstream"
)

// plain hands on the requests that upstream.Takes, as httputil.ReverseProxy would, without the copies that it makes of requests that are not its own:
// after this last step nobody needs the request as the client sent it. What is not as simple goes to otherwise.
type plain struct {
	transport        http.RoundTripper
	tell             func(h http.Header, e *exchange.Exchange, r *http.Request)
	sanitizeResponse func(h http.Header)
	refuse           func(w http.ResponseWriter, r *http.Request, err error)
	otherwise        http.Handler
	buffers          sync.Pool
}

// dropped from requests, beyond what middleware.Clean has dropped, and from answers: they are between two neighbours.
var between = [...]string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !upstream.Takes(r) || !plainQuery(r.URL.RawQuery) {
		p.otherwise.ServeHTTP(w, r)
		return
	}
	e := exchange.From(r.Context())
	h := r.Header
	trailers := false
	for _, value := range h["Te"] {
		trailers = trailers || strings.Contains(strings.ToLower(value), "trailers")
	}
	drop(h)
	if trailers {
		h["Te"] = []string{"trailers"}
	}
	p.tell(h, e, r)
	e.Early = func(status int, early http.Header) {
		to := w.Header()
		merge(to, early)
		w.WriteHeader(status)
		clear(to) // they are not the answer's
	}
	res, err := p.transport.RoundTrip(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	defer res.Body.Close()
	drop(res.Header)
	p.sanitizeResponse(res.Header)
	to := w.Header()
	merge(to, res.Header)
	announced := len(res.Trailer)
	for name := range res.Trailer {
		to.Add("Trailer", name)
	}
	w.WriteHeader(res.StatusCode)
	if err := p.copy(w, res); err != nil {
		panic(http.ErrAbortHandler) // an answer cut short must not look whole
	}
	if len(res.Trailer) == 0 {
		return
	}
	// The server must not take the answer for one that is short enough to have a length: it would have no trailers.
	_ = http.NewResponseController(w).Flush() // an error means that the client is gone
	for name, values := range res.Trailer {
		if len(res.Trailer) != announced {
			name = http.TrailerPrefix + name
		}
		to[name] = append(to[name], values...)
	}
}

// copy sends the body. Where it may be a stream each part is sent at once, and so is the header.
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
	buffer := p.buffers.Get().(*[32 << 10]byte)
	defer p.buffers.Put(buffer)
	for {
		n, err := res.Body.Read(buffer[:])
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			if err := flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) && err != io.ErrUnexpectedEOF { //nolint:errorlint // io.ErrUnexpectedEOF is another
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

// drop deletes what is between two neighbours, and what they say is.
func drop(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				h.Del(name)
			}
		}
	}
	for _, name := range between {
		delete(h, name)
	}
}

// plainQuery says that a query has no part that two parsers read differently: httputil.ReverseProxy drops such parts.
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

// tellClient puts in what the first hop said of the client.
func tellClient(h http.Header, e *exchange.Exchange, r *http.Request) {
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
