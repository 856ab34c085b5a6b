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

// client sends requests without a body to one upstream. Unlike http.Transport it does so in the caller's goroutine, since such a request is
// written whole before its answer is read: no goroutines that hand each other every request, and one write. What is not as simple is
// http.Transport's, Takes tells.
type client struct {
	dial        func(ctx context.Context) (net.Conn, error)
	limit       int           // of idle connections
	age         time.Duration // of an idle connection
	header      time.Duration // until an answer's header has come
	headerBytes int64         // of an answer's header

	mutex sync.Mutex
	idle  []*connection // the longest idle first
	sweep *time.Timer   // nil while none is idle
}

type connection struct {
	net.Conn // the socket, or TLS on it
	socket   *socket
	client   *client
	reader   *bufio.Reader
	left     int64 // bytes that a header may still take; negative: no limit
	used     bool  // an answer came over it
	since    time.Time
	head     []byte // of the request, kept for its memory
}

// Read is the reader's.
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
	errHeaderTooLarge = errors.New("the answer's header is too large")
	errUnread         = errors.New("more came after the last answer")
	errNoUpgrade      = errors.New("the answer is an upgrade that nobody asked for")
)

// Takes says whether a request is plain enough for the client.
func Takes(r *http.Request) bool {
	if r.Body != nil && r.Body != http.NoBody || len(r.Header["Upgrade"]) > 0 || len(r.Trailer) > 0 {
		return false
	}
	// http.Transport knows what to do with other names: zones, and letters that are not ASCII.
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

// observer is what a request's sender has to say to its answer.
type observer struct {
	silence func(http.Header) time.Duration // of the body: the longest time of one read
	early   func(int, http.Header)          // is told each informational answer; nil means nobody is
}

// roundTrip answers as http.Transport.RoundTrip does.
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
		// It was kept, and the upstream has ended it meanwhile. If that was seen before anything was sent, any request may take the next.
		if !conn.socket.stale {
			if !safe(r) {
				return nil, err
			}
			fresh = true
		}
	}
}

// take answers the connection that was used last, nil if there is none.
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
	conn.socket = made.(*socket) // as the pool's dialers make them
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

// CloseIdleConnections closes those that no request uses; the others are kept after it, until their age is over.
func (c *client) CloseIdleConnections() {
	c.mutex.Lock()
	idle := c.idle
	c.idle = nil
	c.mutex.Unlock()
	for _, conn := range idle {
		conn.Close()
	}
}

// past is any time that is over: a deadline that ends what waits.
var past = time.Unix(1, 0)

// roundTrip sends the request and reads the answer's header. begun says that an answer began.
func (c *connection) roundTrip(ctx context.Context, r *http.Request, o observer) (res *http.Response, begun bool, err error) {
	if c.head, err = appendHead(c.head[:0], r); err != nil {
		return nil, true, err
	}
	if err := c.Conn.SetDeadline(time.Now().Add(c.client.header)); err != nil {
		return nil, false, err
	}
	// From here on the client's going ends whatever waits. It is asked for after each deadline that is set, which could be the later one.
	stop := context.AfterFunc(ctx, func() { _ = c.Conn.SetDeadline(past) })
	defer func() {
		if err != nil {
			stop()
		}
	}()
	c.left = c.client.headerBytes
	c.socket.deferring = c.used // a new one may have been sent what belongs to TLS
	if _, err := c.Conn.Write(c.head); err != nil {
		return nil, false, err
	}
	c.socket.deferring = false
	_, err = c.reader.Peek(1)
	if len(c.socket.pending) > 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.socket.stale = true // TLS had something left from before, its end maybe: no answer, for nothing was sent yet
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
	if res.Body != nil { // as net/http reads it, to its end
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

// readResponse reads header after header up to the last. A plain answer has no Body yet: ContentLength bytes follow. whole says that the
// connection can be used again after the body, as far as the header tells.
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

// ambiguous says that the header that comes may have both a Content-Length and a Transfer-Encoding, of which net/http takes the
// latter and hides the former. Whoever sent that cannot be trusted with where the answer ends.
func (c *connection) ambiguous() bool {
	head, ok := c.bufferedHead()
	if !ok {
		return true // too long to look at, or in pieces: rare, and then a connection is not kept
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

// bufferedHead waits until a whole header is buffered, and answers it with the blank line at its end.
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

// answerBody ends with the connection being kept or closed.
type answerBody struct {
	connection *connection
	ctx        context.Context
	stop       func() bool
	source     io.Reader // nil: length more bytes of the connection
	length     int64
	limit      time.Duration
	keep       bool
	err        error
}

// Read waits no longer than the limit. The time a slow client takes between reads does not count.
func (b *answerBody) Read(buffer []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(buffer) == 0 {
		return 0, nil
	}
	c := b.connection // the request's own until finish
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
		if errors.Is(err, io.EOF) && err != io.ErrUnexpectedEOF { //nolint:errorlint // only the bare one is an end
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

// finish ends the body, once. What came after it belongs to no request, so the connection goes as well.
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

// Close closes the connection too if the body was not read to its end.
func (b *answerBody) Close() error {
	b.finish(false)
	return nil
}
