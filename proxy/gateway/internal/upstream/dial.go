package upstream

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// addresses connects to a DNS name that several tasks share. DNS returns the addresses of stopped tasks for some time, and packets sent there
// are lost. So each address gets a share of the timeout, whereas net.Dialer might spend all of it on the first. While DNS returns no address,
// the previous ones are tried.
type addresses struct {
	lookup  func(ctx context.Context, host string) ([]string, error)
	dial    dialFunc
	timeout time.Duration // for all addresses in total

	mutex sync.Mutex
	known []string // addresses returned by the last successful lookup
}

// DialContext works like net.Dialer.DialContext.
func (a *addresses) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || net.ParseIP(host) != nil {
		return a.dial(ctx, network, address)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	all, err := a.resolve(ctx, host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	deadline, _ := ctx.Deadline()
	for i, each := range all {
		try, done := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(all)-i))
		var conn net.Conn
		conn, err = a.dial(try, network, net.JoinHostPort(each, port))
		done()
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// resolve returns at least one address, in random order so that the load spreads over all tasks.
func (a *addresses) resolve(ctx context.Context, host string) ([]string, error) {
	// Half of the timeout, which leaves time to try the known addresses.
	look, cancel := context.WithTimeout(ctx, a.timeout/2)
	defer cancel()
	found, err := a.lookup(look, host)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if err == nil && len(found) > 0 {
		a.known = found
	} else if len(a.known) == 0 {
		return nil, err
	}
	all := append([]string(nil), a.known...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all, nil
}
