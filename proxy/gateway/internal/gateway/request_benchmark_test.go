package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRequest measures one request from nginx on a keep-alive connection with all features enabled. Client and upstream are plain sockets
// that don't allocate, so that all counted allocations are the gateway's.
func BenchmarkRequest(b *testing.B) {
	directory, err := os.MkdirTemp("", "gateway") // b.TempDir can be too long for a socket
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(directory)
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer upstream.Close()
	go func() {
		for {
			conn, err := upstream.Accept()
			if err != nil {
				return
			}
			go answerAlways(conn)
		}
	}()
	address := "http://" + upstream.Addr().String()
	routes, socket := filepath.Join(directory, "routes.json"), filepath.Join(directory, "s")
	table := fmt.Sprintf(`{"edition": "demo", "tenantRules": [{"cookie": "tenant"}], "shards": {"demo-1": {"upstream": %q,
	  "canary": {"upstream": "http://127.0.0.1:9", "weight": 10}}},
	  "hosts": {"demo-1.localhost": "demo-1"}, "default": "demo-1"}`, address)
	if err := os.WriteFile(routes, []byte(table), 0o600); err != nil {
		b.Fatal(err)
	}
	m := &Main{Log: io.Discard, Environ: []string{"EDITION=demo", "GATEWAY_ROUTES=" + routes, "GATEWAY_LISTEN=unix:" + socket, "GATEWAY_ADMIN=127.0.0.1:0",
		"GATEWAY_SIGN_UP=open", "GATEWAY_BANNER=Do not enter data of real patients", "GATEWAY_RATE_LIMIT=1000000", "GATEWAY_DRAIN_DELAY=0s"}}
	if err := m.Run(); err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	client, err := net.Dial("unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	request := []byte("GET /patients?page=1 HTTP/1.1\r\nHost: demo-1.localhost\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\nX-Forwarded-For: 192.0.2.7\r\n" +
		"X-Forwarded-Proto: https\r\nX-Client-Cert-Verify: NONE\r\naccept: */*\r\naccept-encoding: gzip\r\ncookie: tenant=riverside-clinic; lockstep_track=demo-1.stable\r\n\r\n")
	buffer, end := make([]byte, 8<<10), []byte("end of the body")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(request); err != nil {
			b.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buffer[:n], end); {
			read, err := client.Read(buffer[n:])
			if err != nil {
				b.Fatalf("%v after %q", err, buffer[:n])
			}
			n += read
		}
	}
}

func answerAlways(conn net.Conn) {
	defer conn.Close()
	body := append(bytes.Repeat([]byte("x"), 1024-15), "end of the body"...)
	answer := append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
	buffer := make([]byte, 8<<10)
	for n := 0; ; {
		read, err := conn.Read(buffer[n:])
		if err != nil {
			return
		}
		n += read
		if bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n")) {
			n = 0
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}
