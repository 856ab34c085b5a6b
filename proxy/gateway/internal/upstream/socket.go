package upstream

import (
	"context"
	"io"
	"net"
	"syscall"
)

// socket sends a request and waits for its response in one step. Data written while deferring is sent by the next Read, which first checks
// that the connection is still open and has no unread data. Unread data would be mistaken for the response, and a request is safe to retry if
// the connection was closed before anything was sent. The check costs nothing extra, because a read is attempted before waiting anyway.
type socket struct {
	net.Conn
	raw       syscall.RawConn
	attempt   func(descriptor uintptr) bool // step, bound once
	deferring bool
	pending   []byte
	stale     bool // was closed or had unread data before anything was sent

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
	raw, err := conn.(syscall.Conn).SyscallConn() // both types implement it
	if err != nil {
		conn.Close()
		return nil, err
	}
	s := &socket{Conn: conn, raw: raw}
	s.attempt = s.step
	return s, nil
}

// Write stores a copy while deferring.
func (s *socket) Write(b []byte) (int, error) {
	if s.deferring {
		s.pending = append(s.pending, b...)
		return len(b), nil
	}
	return s.Conn.Write(b)
}

// Read sends pending data and waits for data.
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

// step runs between resetting the poller's state and waiting on it, so that an immediate response is not missed.
func (s *socket) step(descriptor uintptr) bool {
	n, err := syscall.Read(int(descriptor), s.into)
	for err == syscall.EINTR { //nolint:errorlint // system calls return it unwrapped
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
		n = 0 // the next call reports the error again, unless the buffer was only full
	}
	if n < len(request) {
		if _, s.err = s.Conn.Write(request[n:]); s.err != nil {
			return true
		}
	}
	return false
}
