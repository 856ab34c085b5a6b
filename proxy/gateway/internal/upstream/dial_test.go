package upstream

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// network simulates addresses that accept connections, refuse them, or don't respond.
type network struct {
	answers, refuses string
	asked            []string
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.asked = append(n.asked, address)
	switch address {
	case n.answers:
		near, far := net.Pipe()
		far.Close()
		return near, nil
	case n.refuses:
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
}

func TestAddressesThatAreGone(t *testing.T) {
	n := &network{answers: "10.0.0.2:8443", refuses: "10.0.0.3:8443"}
	told, fault := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, error(nil)
	a := &addresses{lookup: func(context.Context, string) ([]string, error) { return told, fault }, dial: n.dial, timeout: 300 * time.Millisecond}
	connects := func(want bool) {
		t.Helper()
		conn, err := a.DialContext(context.Background(), "tcp", "shard.clinic.internal:8443")
		if (err == nil) != want {
			t.Fatalf("%v: %v", n.asked, err)
		}
		if err == nil {
			conn.Close()
			return
		}
		var refused *net.OpError
		if !errors.As(err, &refused) || refused.Op != "dial" {
			t.Errorf("%v does not tell that nothing was sent", err)
		}
	}
	for range 20 { // the order of attempts is random
		connects(true)
	}
	// The DNS name is temporarily missing, but the task is running.
	told, fault = nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	connects(true)
	// New addresses replace the previous ones.
	told, fault, n.asked = []string{"10.0.0.3"}, nil, nil
	connects(false)
	if len(n.asked) != 1 || n.asked[0] != "10.0.0.3:8443" {
		t.Errorf("%v", n.asked)
	}
	// A name that was never resolved.
	none := &addresses{lookup: func(context.Context, string) ([]string, error) { return nil, &net.DNSError{Err: "no such host"} }, dial: n.dial, timeout: time.Second}
	a = none
	connects(false)
	// An IP address is not resolved.
	a.lookup = func(context.Context, string) ([]string, error) { t.Error("looked up"); return nil, nil }
	if conn, err := a.DialContext(context.Background(), "tcp", "10.0.0.2:8443"); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
}
