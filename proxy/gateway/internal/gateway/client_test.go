package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A client that disconnects, early or late, with or without a body, cancels its request at the upstream.
func TestClientsThatGo(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		begun, ended := make(chan bool, 1), make(chan bool, 1)
		upstream := u.echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/part" {
				io.WriteString(w, "part")
				http.NewResponseController(w).Flush()
			}
			begun <- true
			select {
			case <-r.Context().Done():
				ended <- true
			case <-time.After(10 * time.Second):
			}
		})
		g := start(t, table(upstream.URL, ""))
		for _, network := range []string{"unix", "tcp"} {
			for _, late := range []time.Duration{0, 200 * time.Millisecond} {
				for _, request := range []string{"GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n", "GET /part HTTP/1.1\r\nHost: demo.example\r\n\r\n",
					"POST / HTTP/1.1\r\nHost: demo.example\r\nContent-Length: 4\r\n\r\nbody", "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"} {
					conn, err := net.Dial(network, map[string]string{"unix": g.socket, "tcp": g.port}[network])
					if err != nil {
						t.Fatal(err)
					}
					io.WriteString(conn, request)
					<-begun
					time.Sleep(late)
					conn.Close()
					select {
					case <-ended:
					case <-time.After(3 * time.Second):
						t.Fatalf("%s, gone after %v: %.20s is not ended", network, late, request)
					}
				}
			}
		}
		eventually(t, "they are logged as gone", func() bool { return strings.Count(g.log.String(), `"status":499`) >= 12 })
	})
}

// The connection of a long request also serves the next one, even if data arrives in between.
func TestConnectionsAfterLongRequests(t *testing.T) {
	upstream := echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(r.URL.Path, "/slow") {
			time.Sleep(150 * time.Millisecond)
		}
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	})
	g := start(t, table(upstream.URL, ""), "GATEWAY_HEADER_TIMEOUT=1s")
	conn, err := net.Dial("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(conn)
	ask := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: demo.example\r\nContent-Length: %d\r\n\r\n%s", path, len(path), path)
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: demo.example\r\n\r\n", path)
		}
		for _, path := range paths {
			for _, want := range []string{path + " " + path, path + " "} {
				res, err := http.ReadResponse(reader, nil)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(res.Body); err != nil || string(body) != want {
					t.Fatalf("%q, not %q: %v", body, want, err)
				}
			}
		}
	}
	ask("/slow1")
	ask("/fast1")
	ask("/slow2", "/slow3", "/fast2") // pipelined: sent before the response
	fmt.Fprint(conn, "GET /slow4 HTTP/1.1\r\nHost: demo.example\r\n\r\n")
	time.Sleep(100 * time.Millisecond) // sent while the connection is watched
	fmt.Fprint(conn, "GET /fast3 HTTP/1.1\r\nHost: demo.example\r\n\r\n")
	for _, want := range []string{"/slow4 ", "/fast3 "} {
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != want {
			t.Fatalf("%q, not %q: %v", body, want, err)
		}
	}
	time.Sleep(100 * time.Millisecond) // idle
	ask("/slow5", "/fast4")
}
