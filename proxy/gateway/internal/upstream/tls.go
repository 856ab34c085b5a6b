package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// dialTLS connects and performs the TLS handshake within the dial timeout. A failed handshake is reported as a refused connection:
// nothing of the request has been sent yet, so the next upstream may be tried for any method.
func (p *Pool) dialTLS(dial dialFunc) func(ctx context.Context, network, address string) (net.Conn, error) {
	// One per upstream, so that sessions of one are not offered to another.
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
		RootCAs:            p.options.UpstreamAuthority,
		InsecureSkipVerify: p.options.UpstreamAuthority == nil, //nolint:gosec // docs/decisions/0011
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		began := time.Now()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("upstream address: %w", err)
		}
		own := config.Clone()
		own.ServerName = host
		secured := tls.Client(conn, own)
		ctx, cancel := context.WithDeadlineCause(ctx, began.Add(p.options.DialTimeout), errHandshakeTimeout)
		defer cancel()
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			if cause := context.Cause(ctx); errors.Is(cause, errHandshakeTimeout) {
				err = cause
			}
			return nil, &net.OpError{Op: "dial", Net: network, Addr: conn.RemoteAddr(), Err: fmt.Errorf("TLS handshake: %w", err)}
		}
		return secured, nil
	}
}

var errHandshakeTimeout = errors.New("timed out")
