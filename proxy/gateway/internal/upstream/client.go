package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// client sends requests without a body to one upstream. Unlike http.Transport, it works in the caller's goroutine, because such a request is
// completely written before its response is read. That saves handing each request between goroutines, and needs only one write. Takes reports
// whether a request is simple enough for this client; http.Transport handles the rest.
type client struct {
	dial        func(ctx context.Context) (net.Conn, error)
	limit       int           // maximum number of idle connections
	age         time.Duration // maximum age of an idle connection
	header      time.Duration // maximum time until the response's header is complete
	headerBytes int64         // maximum size of a response's header

	mutex sync.Mutex
	idle  []*connection // longest idle first
	sweep *time.Timer   // nil while none is idle
}

type connection struct {
	net.Conn // the socket, or TLS over it
	socket   *socket
	client   *client
	reader   *bufio.Reader
	left     int64 // remaining bytes for a header; negative means no limit
	used     bool  // a response has been received over it
	since    time.Time
	head     []byte // buffer for the request's header, kept to reuse its memory
}

// Read is called by the buffered reader.
func (c *connection) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, errHeaderTooLarge
	}
	if c.left > 0 && int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.Conn.Read(b)
	if c.left > 0 {
		c.left -= int64(n)
	}
	return n, err
}

var (
	errHeaderTooLarge = errors.New("the response's header is too large")
	errUnread         = errors.New("data after the last response")
	errNoUpgrade      = errors.New("the response is an upgrade that was not requested")
)

// Takes reports whether a request is simple enough for the client.
func Takes(r *http.Request) bool {
	if r.Body != nil && r.Body != http.NoBody || len(r.Header["Upgrade"]) > 0 || len(r.Trailer) > 0 {
		return false
	}
	// http.Transport handles other host names: zones, and non-ASCII characters.
	for i := range len(r.Host) {
		if b := r.Host[i]; !('a' <= b && b <= 'z' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || b == '.' || b == '-' || b == ':' || b == '_') {
			return false
		}
	}
	return r.Host != ""
}

func safe(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// observer holds the callbacks for a response.
type observer struct {
	silence func(http.Header) time.Duration // returns the maximum duration of one read of the body
	early   func(int, http.Header)          // called for each informational response; may be nil
}

// roundTrip works like http.Transport.RoundTrip.
func (c *client) roundTrip(ctx context.Context, r *http.Request, o observer) (*http.Response, error) {
	fresh := false
	for {
		var conn *connection
		if !fresh {
			conn = c.take()
		}
		if conn == nil {
			var err error
			if conn, err = c.connect(ctx); err != nil {
				return nil, err
			}
		}
		res, begun, err := conn.roundTrip(ctx, r, o)
		if err == nil {
			return res, nil
		}
		conn.Close()
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() || !conn.used || begun {
			return nil, err
		}
		// The upstream has closed an idle connection. If that was detected before anything was sent, any request may retry on the next connection.
		if !conn.socket.stale {
			if !safe(r) {
				return nil, err
			}
			fresh = true
		}
	}
}

// take returns the most recently used idle connection, or nil if there is none.
func (c *client) take() *connection {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := len(c.idle)
	if n == 0 || time.Since(c.idle[n-1].since) > c.age {
		return nil // the sweep closes them
	}
	conn := c.idle[n-1]
	c.idle[n-1] = nil
	c.idle = c.idle[:n-1]
	return conn
}

func (c *client) connect(ctx context.Context) (*connection, error) {
	made, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	conn := &connection{Conn: made, client: c}
	if secured, ok := made.(*tls.Conn); ok {
		made = secured.NetConn()
	}
	conn.socket = made.(*socket) // the pool's dialers return this type
	conn.reader = bufio.NewReaderSize(conn, 16<<10)
	return conn, nil
}

// release keeps the connection for the next request.
func (c *client) release(conn *connection) {
	conn.used, conn.since = true, time.Now()
	var surplus *connection
	c.mutex.Lock()
	if len(c.idle) >= c.limit {
		surplus = conn
	} else {
		c.idle = append(c.idle, conn)
		if c.sweep == nil {
			c.sweep = time.AfterFunc(c.age, c.closeAged)
		}
	}
	c.mutex.Unlock()
	if surplus != nil {
		surplus.Close()
	}
}

func (c *client) closeAged() {
	c.mutex.Lock()
	n := 0
	for n < len(c.idle) && time.Since(c.idle[n].since) >= c.age {
		n++
	}
	aged := append([]*connection(nil), c.idle[:n]...)
	c.idle = append(c.idle[:0], c.idle[n:]...)
	clear(c.idle[len(c.idle):cap(c.idle)])
	c.sweep = nil
	if len(c.idle) > 0 {
		c.sweep = time.AfterFunc(max(c.age-time.Since(c.idle[0].since), time.Millisecond), c.closeAged)
	}
	c.mutex.Unlock()
	for _, conn := range aged {
		conn.Close()
	}
}

// CloseIdleConnections closes idle connections. Those in use become idle later, and are kept until their maximum age.
func (c *client) CloseIdleConnections() {
	c.mutex.Lock()
	idle := c.idle
	c.idle = nil
	c.mutex.Unlock()
	for _, conn := range idle {
		conn.Close()
	}
}

// past is a deadline in the past, which interrupts a waiting read or write.
var past = time.Unix(1, 0)

// roundTrip sends the request and reads the response's header. begun reports whether a response began.
func (c *connection) roundTrip(ctx context.Context, r *http.Request, o observer) (res *http.Response, begun bool, err error) {
	if c.head, err = appendHead(c.head[:0], r); err != nil {
		return nil, true, err
	}
	if err := c.Conn.SetDeadline(time.Now().Add(c.client.header)); err != nil {
		return nil, false, err
	}
	// From here on, cancellation interrupts pending reads and writes. ctx is checked after each deadline that is set, because that could overwrite the
	// interruption.
	stop := context.AfterFunc(ctx, func() { _ = c.Conn.SetDeadline(past) })
	defer func() {
		if err != nil {
			stop()
		}
	}()
	c.left = c.client.headerBytes
	c.socket.deferring = c.used // a new connection may have received data of TLS
	if _, err := c.Conn.Write(c.head); err != nil {
		return nil, false, err
	}
	c.socket.deferring = false
	_, err = c.reader.Peek(1)
	if len(c.socket.pending) > 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.socket.stale = true // TLS had earlier data left, such as its close alert; that is not a response, because nothing was sent yet
		return nil, false, errUnread
	}
	if err != nil {
		return nil, false, err
	}
	res, whole, err := c.readResponse(r, o.early)
	if err != nil {
		return nil, true, err
	}
	c.left = -1
	res.Request = r
	b := &answerBody{connection: c, ctx: ctx, stop: stop, keep: whole && !res.Close, limit: o.silence(res.Header)}
	if res.Body != nil { // net/http reads it to its end
		b.source = res.Body
		if res.Body == http.NoBody {
			b.finish(b.keep)
			return res, true, nil
		}
	} else if b.length = res.ContentLength; b.length == 0 {
		res.Body = http.NoBody
		b.finish(b.keep)
		return res, true, nil
	}
	res.Body = b
	return res, true, nil
}

// readResponse reads informational headers and the final header. A plain response has no Body yet: ContentLength bytes follow. whole reports
// whether the connection can be reused after the body, according to the header.
func (c *connection) readResponse(r *http.Request, early func(int, http.Header)) (res *http.Response, whole bool, err error) {
	for {
		if r.Method != http.MethodHead {
			if res := c.plainResponse(); res != nil {
				return res, true, nil
			}
		}
		both := c.ambiguous()
		res, err := http.ReadResponse(c.reader, r)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, false, err
		}
		if res.StatusCode == http.StatusSwitchingProtocols {
			return nil, false, errNoUpgrade
		}
		if res.StatusCode < 200 {
			if early != nil {
				early(res.StatusCode, res.Header)
			}
			continue
		}
		return res, !both, nil
	}
}

// ambiguous reports whether the next header may have both Content-Length and Transfer-Encoding, of which net/http uses the
// latter and hides the former. An upstream that sends both can't be trusted to mark the end of a response.
func (c *connection) ambiguous() bool {
	head, ok := c.bufferedHead()
	if !ok {
		return true // too long or fragmented to check; this is rare, and the connection is then not kept
	}
	length, encoding := false, false
	for line := range strings.SplitSeq(head, "\n") {
		name, _, _ := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		length = length || strings.EqualFold(name, "Content-Length")
		encoding = encoding || strings.EqualFold(name, "Transfer-Encoding")
	}
	return length && encoding
}

// bufferedHead waits until a complete header is buffered, and returns it including the blank line at its end.
func (c *connection) bufferedHead() (string, bool) {
	for {
		have, _ := c.reader.Peek(c.reader.Buffered())
		if end := headEnd(have); end > 0 {
			return string(have[:end]), true
		}
		if len(have) == c.reader.Size() {
			return "", false
		}
		if _, err := c.reader.Peek(len(have) + 1); err != nil {
			return "", false
		}
	}
}

// answerBody is a response's body. At its end, the connection is kept or closed.
type answerBody struct {
	connection *connection
	ctx        context.Context
	stop       func() bool
	source     io.Reader // if nil, the body is the next length bytes of the connection
	length     int64
	limit      time.Duration
	keep       bool
	err        error
}

// Read waits at most for the limit. The time between reads, which a slow client may take, does not count.
func (b *answerBody) Read(buffer []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(buffer) == 0 {
		return 0, nil
	}
	c := b.connection // owned by the request until finish
	if c.reader.Buffered() == 0 || b.source != nil {
		if err := c.Conn.SetReadDeadline(time.Now().Add(b.limit)); err != nil {
			return 0, b.fail(err)
		}
		if err := context.Cause(b.ctx); err != nil {
			return 0, b.fail(err)
		}
	}
	if b.source != nil {
		n, err := b.source.Read(buffer)
		if errors.Is(err, io.EOF) && err != io.ErrUnexpectedEOF { //nolint:errorlint // only a bare io.EOF is the end
			b.finish(b.keep)
			return n, io.EOF
		}
		if err != nil {
			return n, b.fail(err)
		}
		return n, nil
	}
	n, err := c.reader.Read(buffer[:min(int64(len(buffer)), b.length)])
	b.length -= int64(n)
	if b.length == 0 {
		b.finish(b.keep)
		return n, io.EOF
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, b.fail(err)
	}
	return n, nil
}

func (b *answerBody) fail(err error) error {
	if cause := context.Cause(b.ctx); cause != nil {
		err = cause
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		err = fmt.Errorf("%w: %w", ErrSilent, err)
	}
	b.finish(false)
	b.err = err
	return err
}

// finish ends the body, once. Data after it belongs to no request, so the connection is then closed.
func (b *answerBody) finish(keep bool) {
	if b.err != nil {
		return
	}
	b.err = io.EOF
	c := b.connection
	if !b.stop() || !keep || c.reader.Buffered() > 0 {
		c.Close()
		return
	}
	c.client.release(c)
}

// Close also closes the connection if the body was not read to its end.
func (b *answerBody) Close() error {
	b.finish(false)
	return nil
}
