package upstream

import (
	"context"
	"io"
	"net"
	"syscall"
)

// socket sends a request and waits for its answer in one step: what is written while deferring goes out with the next Read, which first makes
// sure that the connection is still open and that nothing lies there unread. What lies there would be taken for the answer, and a
// connection that is known to be closed before a byte was sent has done nothing. It costs no more than the look that comes before any waiting.
type socket struct {
	net.Conn
	raw       syscall.RawConn
	attempt   func(descriptor uintptr) bool // step, bound once
	deferring bool
	pending   []byte
	stale     bool // found closed, or with unread bytes, before anything was sent

	into []byte
	n    int
	err  error
}

// dialSocket connects by TCP or to a Unix socket.
func dialSocket(ctx context.Context, dialer *net.Dialer, network, address string) (*socket, error) {
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(syscall.Conn).SyscallConn() // both have it
	if err != nil {
		conn.Close()
		return nil, err
	}
	s := &socket{Conn: conn, raw: raw}
	s.attempt = s.step
	return s, nil
}

// Write keeps a copy while deferring.
func (s *socket) Write(b []byte) (int, error) {
	if s.deferring {
		s.pending = append(s.pending, b...)
		return len(b), nil
	}
	return s.Conn.Write(b)
}

// Read sends what is pending and waits for bytes.
func (s *socket) Read(b []byte) (int, error) {
	if len(s.pending) == 0 || len(b) == 0 {
		return s.Conn.Read(b)
	}
	s.deferring = false
	s.into, s.n, s.err = b, 0, nil
	err := s.raw.Read(s.attempt)
	s.into = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

// step runs between resetting the poller's state and waiting on it, so that an answer that comes at once is not missed.
func (s *socket) step(descriptor uintptr) bool {
	n, err := syscall.Read(int(descriptor), s.into)
	for err == syscall.EINTR { //nolint:errorlint // system calls answer it bare
		n, err = syscall.Read(int(descriptor), s.into)
	}
	quiet := err == syscall.EAGAIN //nolint:errorlint // as above
	if len(s.pending) == 0 {
		switch {
		case quiet:
			return false
		case err != nil:
			s.err = &net.OpError{Op: "read", Net: "socket", Addr: s.Conn.RemoteAddr(), Err: err}
		case n == 0:
			s.err = io.EOF
		default:
			s.n = n
		}
		return true
	}
	request := s.pending
	s.pending = s.pending[:0]
	if !quiet {
		s.stale, s.err = true, io.EOF
		return true
	}
	if n, err = syscall.Write(int(descriptor), request); err != nil {
		n = 0 // told again by the next, or it was only that the buffer is full
	}
	if n < len(request) {
		if _, s.err = s.Conn.Write(request[n:]); s.err != nil {
			return true
		}
	}
	return false
}
