package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAttacks runs attacks by clients that reach the gateway past nginx. A well-behaved client must still get timely responses.
func TestAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	var largest atomic.Int64
	upstream := echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		for seen := largest.Load(); n > seen && !largest.CompareAndSwap(seen, n); seen = largest.Load() {
		}
	})
	g := start(t, table(upstream.URL, ""), "GATEWAY_DIAL_TIMEOUT=20s", "GATEWAY_HEADER_TIMEOUT=5s", "GATEWAY_BODY_TIMEOUT=5s", "GATEWAY_IDLE_TIMEOUT=1s", "GATEWAY_MAX_BODY_BYTES=1000", "GATEWAY_MAX_HEADER_BYTES=8192")
	const connections = 200
	for _, attack := range []struct {
		name  string
		bytes func(conn net.Conn) // attacks until the gateway closes the connection
		says  []string            // allowed prefixes of the response; "" means no response
	}{
		{"silence", func(net.Conn) {}, []string{"", "HTTP/1.1 408"}},
		{"slowloris", func(conn net.Conn) {
			_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\nA: ")
			for ; err == nil; time.Sleep(50 * time.Millisecond) {
				_, err = io.WriteString(conn, "x")
			}
		}, []string{"", "HTTP/1.1 408"}},
		{"headers without end", func(conn net.Conn) {
			_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\n")
			for i := 0; err == nil; i++ {
				if _, err = io.WriteString(conn, "A: "+strings.Repeat("x", 500)+"\r\n"); err == nil && i > 20_000 {
					t.Error("10 MB of header were taken")
					return
				}
			}
		}, []string{"", "HTTP/1.1 431", "HTTP/1.1 408"}},
		{"a body without end", func(conn net.Conn) {
			_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\n")
			for i := 0; err == nil; i++ {
				if _, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", 4096, strings.Repeat("x", 4096)); err == nil && i > 5000 {
					t.Error("20 MB of body were taken")
					return
				}
			}
		}, []string{"", "HTTP/1.1 413", "HTTP/1.1 408"}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			var all sync.WaitGroup
			var cut atomic.Int64
			for range connections {
				all.Go(func() {
					conn, err := net.Dial("tcp", g.port)
					if err != nil {
						return
					}
					defer conn.Close()
					_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
					answered := make(chan string, 1)
					go func() {
						data, err := io.ReadAll(bufio.NewReader(conn))
						if ne, ok := err.(net.Error); ok && ne.Timeout() {
							data = []byte("not cut")
						}
						answered <- string(data)
					}()
					attack.bytes(conn)
					text := <-answered
					for _, says := range attack.says {
						if text == says || says != "" && strings.HasPrefix(text, says) {
							cut.Add(1)
							return
						}
					}
					t.Errorf("%.200q", text)
				})
			}
			slowest := time.Duration(0)
			for range 20 {
				began := time.Now()
				if a := g.get("/", nil); a.status != 200 {
					t.Errorf("while attacked: %d %s", a.status, a.body)
				}
				slowest = max(slowest, time.Since(began))
				time.Sleep(50 * time.Millisecond)
			}
			all.Wait()
			t.Logf("%d of %d cut; the slowest answer in %v", cut.Load(), connections, slowest)
			if cut.Load() != connections || slowest > 5*time.Second {
				t.Errorf("%d of %d connections were cut; the slowest answer took %v", cut.Load(), connections, slowest)
			}
			eventually(t, "nothing of the attack stays", func() bool { return runtime.NumGoroutine() < before+50 })
		})
	}
	if largest.Load() > 1000 {
		t.Errorf("the application saw %d bytes of a body", largest.Load())
	}
}
