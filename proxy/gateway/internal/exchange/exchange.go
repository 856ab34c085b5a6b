// Package exchange holds what the gateway knows of one request and its answer while they pass through.
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

// Exchange is made by the outermost middleware; each further one fills in what it finds. Only the request's own goroutine
// uses it, but for BodyError.
type Exchange struct {
	http.ResponseWriter // the client's

	Started time.Time
	ID      string // request id, never empty once a handler sees it
	Trusted bool   // came over the first hop's socket
	Client  string // address of the client as far as it is known; "" if it is not
	Scheme  string // "http" or "https", as the client used it

	Table  *routing.Table // the table this request is judged by to its end
	Tenant string         // "" when none is known
	Shard  *routing.Shard // nil until routed
	Canary bool           // the session belongs to the canary

	Role     string // of the upstream that answered: stable, canary or fallback; "" for none
	Upstream string // its address
	Problem  string // code of the gateway's own page, "" for none
	Cause    error  // what was behind it

	// Early is told each informational answer of the upstream; nil means nobody is. Only requests of which upstream.Takes says so have it.
	Early func(status int, h http.Header)

	// BodyError is why the client's body could not be read, nil if it could.
	BodyError atomic.Pointer[error]

	Status int   // 0 until known
	Bytes  int64 // of the body, to the client

	before []func(http.Header)
	room   [4]func(http.Header) // for the first of them
	wrote  bool
}

type key struct{}

// Attach answers r with e in its context.
func (e *Exchange) Attach(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key{}, e))
}

// From answers the exchange of a request's context; it panics without one, for that is a mistake in the wiring.
func From(ctx context.Context) *Exchange { return ctx.Value(key{}).(*Exchange) }

// BeforeHeader has change called on the response's header just before it is sent. Changes run in the reverse order of being
// asked for, so that the outermost middleware has the last word.
func (e *Exchange) BeforeHeader(change func(http.Header)) {
	if e.before == nil {
		e.before = e.room[:0]
	}
	e.before = append(e.before, change)
}

// Refuse answers with one of the gateway's own pages. cause may be nil; it is logged and never shown.
func (e *Exchange) Refuse(r *http.Request, problem page.Problem, cause error) {
	e.Problem, e.Cause = problem.Code, cause
	problem.Write(e, r, e.ID)
}

// WriteHeader sends the header once; an informational status may come before it.
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

// FlushError sends what is buffered; http.ResponseController finds it.
func (e *Exchange) FlushError() error {
	if !e.wrote {
		e.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(e.ResponseWriter).Flush()
}

// Hijack hands the connection over to another protocol.
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
