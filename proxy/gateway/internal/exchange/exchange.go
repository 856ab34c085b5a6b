// Package exchange holds the state of one request and its response while the gateway processes them.
package exchange

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"lockstep/proxy/gateway/internal/page"
	"lockstep/proxy/gateway/internal/wire"
	"lockstep/proxy/internal/routing"
)

// Exchange is created by the outermost middleware; inner ones fill in the fields that they determine. Only the request's goroutine
// may use it, except for BodyError.
type Exchange struct {
	http.ResponseWriter // the client's

	Started time.Time
	ID      string // request id, never empty once a handler sees it
	Trusted bool   // received over the first hop's socket
	Client  string // address of the client; "" if unknown
	Scheme  string // "http" or "https", as the client used it

	Table  *routing.Table // the routing table that this request uses until its end
	Tenant string         // "" if unknown
	Shard  *routing.Shard // nil until routed
	Canary bool           // the session belongs to the canary

	Role     string // of the upstream that answered: stable, canary or fallback; "" if none did
	Upstream string // its address
	Problem  string // code of the gateway's problem page; "" if none
	Cause    error  // cause of the problem

	// Early is called for each informational response of the upstream; nil means it is not. It is set only for requests that upstream.Takes accepts.
	Early func(status int, h http.Header)

	// BodyError is the error of reading the client's body, if any.
	BodyError atomic.Pointer[error]

	Status int   // 0 until set
	Bytes  int64 // sent to the client, without the header

	before []func(http.Header)
	room   [4]func(http.Header) // for the first of them
	wrote  bool
}

type key struct{}

// Attach returns r with e in its context.
func (e *Exchange) Attach(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key{}, e))
}

// From returns the exchange in a request's context. It panics if there is none, which is a programming error.
func From(ctx context.Context) *Exchange { return ctx.Value(key{}).(*Exchange) }

// BeforeHeader registers change to be called with the response's header just before it is sent. Changes run in reverse order of their
// registration, so that the outermost middleware's change is applied last.
func (e *Exchange) BeforeHeader(change func(http.Header)) {
	if e.before == nil {
		e.before = e.room[:0]
	}
	e.before = append(e.before, change)
}

// Refuse responds with one of the gateway's problem pages. cause may be nil; it is logged but not shown to the client.
func (e *Exchange) Refuse(r *http.Request, problem page.Problem, cause error) {
	e.Problem, e.Cause = problem.Code, cause
	problem.Write(e, r, e.ID)
}

// WriteHeader sends the header once. Informational statuses may precede it.
func (e *Exchange) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		e.ResponseWriter.WriteHeader(status)
		return
	}
	if !e.wrote {
		e.wrote, e.Status = true, status
		h := e.ResponseWriter.Header()
		for i := len(e.before) - 1; i >= 0; i-- {
			e.before[i](h)
		}
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write sends part of the body.
func (e *Exchange) Write(b []byte) (int, error) {
	if !e.wrote {
		e.WriteHeader(http.StatusOK)
	}
	n, err := e.ResponseWriter.Write(b)
	e.Bytes += int64(n)
	return n, err
}

// FlushError sends buffered data. http.ResponseController calls it.
func (e *Exchange) FlushError() error {
	if !e.wrote {
		e.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(e.ResponseWriter).Flush()
}

// Hijack takes over the connection for another protocol.
func (e *Exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(e.ResponseWriter).Hijack()
	if err == nil {
		e.Status, e.wrote = http.StatusSwitchingProtocols, true
		if c, ok := conn.(*wire.Conn); ok {
			c.Raw()
		}
	}
	return conn, buffered, err
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (e *Exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }
