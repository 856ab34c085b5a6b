package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// dialTLS connects and shakes hands, together within the dial timeout. A handshake that fails is told as a connection that was refused:
// nothing of a request has been sent by then, so the next upstream may be tried whatever the method.
func (p *Pool) dialTLS(dial dialFunc) func(ctx context.Context, network, address string) (net.Conn, error) {
	// One for each upstream: sessions of one must not be offered to another.
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

var errHandshakeTimeout = errors.New("takes too long")
