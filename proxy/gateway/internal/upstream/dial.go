package upstream

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// addresses connects to a name that several tasks share, of which some may just have gone: a name server tells their addresses for some
// time after that, and what is sent there is lost without an answer. So each address gets a part of the time, net.Dialer would give all
// of it to the first. While the name server knows none, those of before are tried.
type addresses struct {
	lookup  func(ctx context.Context, host string) ([]string, error)
	dial    dialFunc
	timeout time.Duration // for all addresses together

	mutex sync.Mutex
	known []string // of the last look-up that told any
}

// DialContext is that of net.Dialer.
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

// resolve answers at least one address, in no order, so that each task gets its share.
func (a *addresses) resolve(ctx context.Context, host string) ([]string, error) {
	// Half of the time, so that there is some left for addresses that are known.
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
