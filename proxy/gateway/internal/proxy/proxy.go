// Package proxy is the innermost handler: it forwards the request to the shard's upstream and returns the response.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/options"
	"lockstep/proxy/gateway/internal/page"
)

// statusClientGone is nginx's status for a client that disconnected. It appears only in logs and metrics.
const statusClientGone = 499

// New returns the handler. The requests passed to transport have a routed exchange.
func New(o options.Options, log *slog.Logger, transport http.RoundTripper) http.Handler {
	// All requests share these slices, because header values are replaced or appended to, never changed in place.
	edition, signUp := []string{string(o.Edition)}, []string{"closed"}
	if o.SignUpOpen {
		signUp = []string{"open"}
	}
	// Percent-encoded, because header values should be ASCII and banners may be in any language.
	banner := []string{url.PathEscape(o.Banner)}
	tell := func(h http.Header, e *exchange.Exchange, r *http.Request) {
		setForwarded(h, e, r)
		h["X-Lockstep-Edition"], h["X-Lockstep-Sign-Up"] = edition, signUp
		if warning := expiryWarning(h); warning != "" {
			h["X-Lockstep-Banner"] = []string{url.PathEscape(warning)}
		} else if o.Banner != "" {
			h["X-Lockstep-Banner"] = banner
		}
	}
	pool := &buffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}}
	reverse := &httputil.ReverseProxy{
		Transport:  transport,
		BufferPool: pool,
		ErrorLog:   slog.NewLogLogger(log.Handler(), slog.LevelDebug), // the access log reports the same error with more details
		Rewrite: func(r *httputil.ProxyRequest) {
			// The pool replaces the address with that of the chosen upstream. The application sees the client's Host header.
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "chosen-by-pool"
			r.Out.Host = r.In.Host
			tell(r.Out.Header, exchange.From(r.In.Context()), r.In)
		},
		ModifyResponse: func(res *http.Response) error {
			sanitizeResponse(res.Header)
			return nil
		},
		ErrorHandler: refuse,
	}
	return &plain{transport: transport, tell: tell, otherwise: reverse, buffers: pool}
}

// warnDays is how long before its expiry the holder of a client certificate is warned.
const warnDays = 30

// expiryWarning returns a banner for the holder of a client certificate that expires soon, or "". The header is the first hop's, because all
// others were dropped; without a certificate there is none.
func expiryWarning(h http.Header) string {
	values := h["X-Client-Cert-Days-Left"]
	if len(values) == 0 {
		return ""
	}
	days, err := strconv.Atoi(values[0])
	if err != nil || days >= warnDays {
		return ""
	}
	return fmt.Sprintf("Your client certificate expires soon. Full days left: %d. Please ask for a new one, because you cannot open this site without it.", days)
}

// sanitizeResponse removes from a response's header what nginx must not see.
func sanitizeResponse(h http.Header) {
	for name := range h {
		// Only the gateway may control nginx. An application could make nginx send any file that it can read.
		if strings.HasPrefix(name, "X-Accel-") {
			delete(h, name)
		}
	}
	if eventStream(h) {
		h.Set("X-Accel-Buffering", "no")
	}
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := exchange.From(r.Context())
	if pointer := e.BodyError.Load(); pointer != nil {
		bodyError := *pointer
		w.Header().Set("Connection", "close")
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(bodyError, &tooLarge):
			e.Refuse(r, page.BodyTooLarge, bodyError)
		case errors.Is(bodyError, os.ErrDeadlineExceeded):
			e.Refuse(r, page.Timeout, bodyError)
		case errors.Is(bodyError, io.ErrUnexpectedEOF):
			e.Cause = bodyError
			w.WriteHeader(statusClientGone)
		default:
			e.Refuse(r, page.BadRequest("The request's body is not valid HTTP."), bodyError)
		}
		return
	}
	if errors.Is(r.Context().Err(), context.Canceled) {
		e.Cause = err
		w.WriteHeader(statusClientGone)
		return
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		e.Refuse(r, page.Unreachable, err)
		return
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		e.Refuse(r, page.UpstreamTimeout, err)
		return
	}
	e.Refuse(r, page.Unreachable, err)
}

type buffers struct{ pool sync.Pool }

// Get returns a buffer of 32 KiB.
func (b *buffers) Get() []byte { return b.pool.Get().(*[32 << 10]byte)[:] }

// Put returns a buffer to the pool.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[32 << 10]byte)(buffer)) }
