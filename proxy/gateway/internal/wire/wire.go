// Package wire is what stands between net/http's server and the socket: it refuses requests that two parsers could read
// differently, answers those that net/http refuses with pages of the gateway's own, and limits the time of each write.
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
	// Trusted is handed on to each connection's requests; see Of.
	Trusted bool
	// WriteTimeout is the longest time of one write; zero means no limit.
	WriteTimeout time.Duration
	// Refused is told the status of each page sent before any handler ran; nil means nobody is.
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
	handling atomic.Bool // a handler runs, or its answer is not all written yet

	raw  syscall.RawConn // nil if there is none
	gone func()          // cancels the connection's requests; nil if nobody could

	mutex    sync.Mutex
	scanner  *scanner
	verdicts []verdict
	timer    *time.Timer
	awaited  bool          // the timer will start watching
	ended    bool          // the request's handler is at its end
	watching chan struct{} // closed when the watching is over; nil while nobody watches
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

// Of answers the request's connection, nil if it came by no Listener.
func Of(r *http.Request) *Conn {
	c, _ := r.Context().Value(key{}).(*Conn)
	return c
}

// Trusted says whether the peer is the first hop.
func (c *Conn) Trusted() bool { return c.listener.Trusted }

// Begin must be called first by the handler of each request, once. It answers why the request must be refused and
// the connection closed, or "".
func (c *Conn) Begin(r *http.Request) (reason string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.handling.Store(true)
	c.ended = false
	if len(c.verdicts) == 0 {
		return "it starts where the request before it had not ended"
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
		return "its first line can be read in two ways"
	}
	return ""
}

// End must be called by the handler at its end, unless the connection became raw.
func (c *Conn) End() { c.unwatch() }

// Raw ends the scanning: what follows is another protocol.
func (c *Conn) Raw() {
	c.unwatch()
	c.mutex.Lock()
	c.scanner.state = stopped
	c.mutex.Unlock()
}

// Read scans what it reads. A client that stops within a header is answered 408.
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

// Write limits the time of each write, and replaces net/http's bare refusals, which it writes at once and while no handler runs.
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

// Close ends the requests of the connection too.
func (c *Conn) Close() error {
	if c.gone != nil {
		c.gone()
	}
	return c.Conn.Close()
}

// CloseWrite is used by net/http so that a refused client gets to read why.
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
		// A whole header that net/http did not like; whatever came after it was scanned already.
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
