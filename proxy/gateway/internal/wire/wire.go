// Package wire sits between net/http's server and the socket. It refuses requests that two parsers could read
// differently, replaces net/http's error responses with the gateway's problem pages, and limits the time of each write.
package wire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"lockstep/proxy/gateway/internal/page"
)

// Listener wraps accepted connections.
type Listener struct {
	net.Listener
	// Trusted is passed on to each connection's requests; see Of.
	Trusted bool
	// WriteTimeout is the maximum duration of one write; zero means no limit.
	WriteTimeout time.Duration
	// Refused, if not nil, is called with the status of each page that was sent before any handler ran.
	Refused func(status int, reason string)
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &Conn{Conn: c, listener: l, scanner: newScanner()}
	if with, ok := c.(syscall.Conn); ok {
		conn.raw, _ = with.SyscallConn() // nil on error
	}
	return conn, nil
}

// Conn is one connection of a client.
type Conn struct {
	net.Conn
	listener *Listener
	handling atomic.Bool // a handler is running, or its response is not completely written

	raw  syscall.RawConn // nil if there is none
	gone func()          // cancels the connection's requests; may be nil

	mutex    sync.Mutex
	scanner  *scanner
	verdicts []verdict
	timer    *time.Timer
	awaited  bool          // the timer will start watching
	ended    bool          // the request's handler has finished
	watching chan struct{} // closed when watching ends; nil while not watching
}

type key struct{}

// ConnContext is for http.Server.ConnContext.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if conn, ok := c.(*Conn); ok {
		ctx, conn.gone = context.WithCancel(ctx)
	}
	return context.WithValue(ctx, key{}, c)
}

// ConnState is for http.Server.ConnState.
func ConnState(c net.Conn, state http.ConnState) {
	if conn, ok := c.(*Conn); ok && state == http.StateIdle {
		conn.handling.Store(false)
	}
}

// Of returns the request's connection, or nil if it was not accepted by a Listener.
func Of(r *http.Request) *Conn {
	c, _ := r.Context().Value(key{}).(*Conn)
	return c
}

// Trusted reports whether the peer is the first hop.
func (c *Conn) Trusted() bool { return c.listener.Trusted }

// Begin must be called once, at the start of each request's handler. It returns the reason why the request must be refused and
// the connection closed, or "".
func (c *Conn) Begin(r *http.Request) (reason string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.handling.Store(true)
	c.ended = false
	if len(c.verdicts) == 0 {
		return "the previous request had not ended where this one starts"
	}
	v := c.verdicts[0]
	c.verdicts = c.verdicts[:copy(c.verdicts, c.verdicts[1:])]
	if v.reason != "" {
		return v.reason
	}
	var hash maphash.Hash
	hash.SetSeed(seed)
	for _, text := range [...]string{r.Method, " ", r.RequestURI, " ", r.Proto, "\r"} {
		hash.WriteString(text)
	}
	if hash.Sum64() != v.line {
		return "the request line is ambiguous"
	}
	return ""
}

// End must be called at the end of the handler, unless Raw was called.
func (c *Conn) End() { c.unwatch() }

// Raw stops scanning, because another protocol follows.
func (c *Conn) Raw() {
	c.unwatch()
	c.mutex.Lock()
	c.scanner.state = stopped
	c.mutex.Unlock()
}

// Read scans the data it reads. A client that stops within a header receives status 408.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 1 {
		c.mutex.Lock()
		background := c.background(b)
		if background {
			c.await()
		}
		c.mutex.Unlock()
		if background {
			return 0, nil
		}
	}
	n, err := c.Conn.Read(b)
	c.mutex.Lock()
	if n > 0 {
		c.scanner.scan(b[:n], func(v verdict) { c.verdicts = append(c.verdicts, v) })
	}
	within := c.scanner.started && (c.scanner.state == inRequestLine || c.scanner.state == inHeader)
	c.mutex.Unlock()
	if within && n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && !c.handling.Load() {
		c.refuse(http.StatusRequestTimeout)
	}
	return n, err
}

// Write limits the time of each write and replaces net/http's plain error responses, which it writes in one call while no handler runs.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.handling.Load() && len(b) > 12 && string(b[:9]) == "HTTP/1.1 " {
		if status, err := strconv.Atoi(string(b[9:12])); err == nil && status >= 400 {
			return len(b), c.refuse(status)
		}
	}
	if err := c.limit(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close also cancels the requests of the connection.
func (c *Conn) Close() error {
	if c.gone != nil {
		c.gone()
	}
	return c.Conn.Close()
}

// CloseWrite is used by net/http so that a refused client can read the response.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *Conn) limit() error {
	if c.listener.WriteTimeout == 0 {
		return nil
	}
	return c.Conn.SetWriteDeadline(time.Now().Add(c.listener.WriteTimeout))
}

func (c *Conn) refuse(status int) error {
	c.mutex.Lock()
	asJSON, reason := c.scanner.json, c.scanner.current.reason
	if len(c.verdicts) > 0 {
		// net/http refused a complete header; data after it has already been scanned.
		asJSON, reason = c.verdicts[0].json, c.verdicts[0].reason
	}
	c.mutex.Unlock()
	if c.listener.Refused != nil {
		c.listener.Refused(status, reason)
	}
	problem := page.Parse(status)
	body, contentType := problem.Body(asJSON, "")
	if err := c.limit(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s",
		problem.Status, http.StatusText(problem.Status), contentType, len(body), body)
	return err
}
