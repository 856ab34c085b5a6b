package gateway

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// crashing sends bytes on each connection and closes it.
func (u upstreams) crashing(t *testing.T, bytes string, hang bool) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if u.secure {
		scheme = "https://"
		server := u.server(nil)
		t.Cleanup(server.Close)
		listener = tls.NewListener(listener, &tls.Config{Certificates: server.TLS.Certificates})
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err != nil || r.URL.Path == "/health" {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
					return
				}
				io.WriteString(conn, bytes)
				if hang {
					time.Sleep(5 * time.Second)
				}
			}()
		}
	}()
	return scheme + listener.Addr().String()
}

// If an upstream fails before its response, the client gets a problem page. If it fails within, the response is aborted and never
// looks complete.
func TestUpstreamsThatFail(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		dead := u.server(nil)
		dead.Close()
		for _, test := range []struct {
			name, bytes string
			hang        bool
			status      int // 0: an aborted response
			code        string
		}{
			{"is not there", "dead", false, 502, "upstream_unreachable"},
			{"closes at once", "", false, 502, "upstream_unreachable"},
			{"talks nonsense", "SSH-2.0-nonsense\r\n", false, 502, "upstream_unreachable"},
			{"dies in its header", "HTTP/1.1 200 OK\r\nContent-Le", false, 502, "upstream_unreachable"},
			{"oversized header", head + "X-A: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", false, 502, "upstream_unreachable"},
			{"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", false, 502, "upstream_unreachable"},
			{"hangs", "", true, 504, "upstream_timeout"},
			{"hangs in its header", head, true, 504, "upstream_timeout"},
			{"dies in mid-body", head + "Content-Length: 1000\r\n\r\npart", false, 0, ""},
			{"dies in mid-chunk", head + "Transfer-Encoding: chunked\r\n\r\n10\r\npart", false, 0, ""},
			{"dies between chunks", head + "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", false, 0, ""},
			{"hangs in mid-body", head + "Content-Length: 1000\r\n\r\npart", true, 0, ""},
			{"hangs in mid-chunk", head + "Transfer-Encoding: chunked\r\n\r\n10\r\npart", true, 0, ""},
			{"hangs in an event stream", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", true, 0, ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				upstream := dead.URL
				if test.bytes != "dead" {
					upstream = u.crashing(t, test.bytes, test.hang)
				}
				g := start(t, table(upstream, ""), "GATEWAY_RESPONSE_TIMEOUT=200ms", "GATEWAY_UPSTREAM_SILENCE=200ms", "GATEWAY_STREAM_SILENCE=200ms")
				began := time.Now()
				request, _ := http.NewRequest("GET", "http://demo.example/", nil)
				request.Header.Set("Accept", "application/json")
				var body []byte
				res, err := g.trusted().Do(request)
				if err == nil {
					defer res.Body.Close()
					body, err = io.ReadAll(res.Body)
				}
				if time.Since(began) > 4*time.Second {
					t.Errorf("took %v", time.Since(began))
				}
				if test.status == 0 {
					if err == nil {
						t.Errorf("a truncated answer looks whole: %q", body)
					}
					eventually(t, "it is logged as aborted", func() bool { return strings.Contains(g.log.String(), `"aborted":true`) })
					return
				}
				if err != nil || res.StatusCode != test.status || !strings.Contains(string(body), test.code) {
					t.Errorf("%s %v", body, err)
				}
			})
		}
	})
}

func TestFallback(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		var sick atomic.Bool
		stable := u.server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if sick.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			fmt.Fprint(w, `{"Name": "stable"}`)
		}))
		t.Cleanup(stable.Close)
		fallback := u.echoServer(t, "fallback", nil)
		g := start(t, table(stable.URL, fmt.Sprintf(`"fallback": %q`, fallback.URL)))
		if a := g.get("/", nil); a.echo.Name != "stable" {
			t.Fatalf("%+v", a)
		}
		sick.Store(true)
		eventually(t, "a failing health check moves to the fallback", func() bool { return g.get("/", nil).echo.Name == "fallback" })
		sick.Store(false)
		eventually(t, "and a passing one back", func() bool { return g.get("/", nil).echo.Name == "stable" })
		stable.Close()
		// Killed: requests that are safe to repeat don't fail. Once the upstream refuses connections, requests with a body don't fail
		// either, because nothing was sent.
		for range 50 {
			if a := g.get("/", nil); a.echo.Name != "fallback" {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		for i := range 50 {
			a := send(t, g.trusted(), "POST", "http://demo.example/", nil, strings.NewReader(fmt.Sprintf("body %d", i)))
			if a.echo.Name != "fallback" || a.echo.Body != fmt.Sprintf("body %d", i) {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		off := start(t, table(stable.URL, fmt.Sprintf(`"fallback": %q`, fallback.URL)), "GATEWAY_FALLBACK=off")
		if a := off.get("/", nil); a.status != 502 {
			t.Errorf("the flag is off: %+v", a)
		}
	})
}

// Requests that may have been processed are not repeated.
func TestUnsafeRequestsAreNotRepeated(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		fallback := u.echoServer(t, "fallback", nil)
		g := start(t, table(u.crashing(t, "", false), fmt.Sprintf(`"fallback": %q`, fallback.URL)))
		if a := g.get("/", nil); a.echo.Name != "fallback" {
			t.Errorf("GET: %+v", a)
		}
		for _, body := range []io.Reader{strings.NewReader("x"), nil} {
			if a := send(t, g.trusted(), "POST", "http://demo.example/", nil, body); a.status != 502 {
				t.Errorf("POST: %+v", a)
			}
		}
	})
}

func TestBodiesPassUnchanged(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		upstream := u.echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
			sum := sha256.New()
			n, _ := io.Copy(sum, r.Body)
			w.Header().Set("Trailer", "X-Sum")
			w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
			w.Write(make([]byte, n))
			w.Header().Set("X-Sum", fmt.Sprintf("%x", sum.Sum(nil)))
		})
		g := start(t, table(upstream.URL, ""), "GATEWAY_MAX_BODY_BYTES=0")
		for _, size := range []int{0, 1, 4095, 4096, 32<<10 + 1, 3 << 20} {
			for _, chunked := range []bool{false, true} {
				data := make([]byte, size)
				for i := range data {
					data[i] = byte(rand.IntN(256))
				}
				request, _ := http.NewRequest("PUT", "http://demo.example/", strings.NewReader(string(data)))
				want := fmt.Sprint(size)
				if chunked && size > 0 {
					request.Body, request.ContentLength = io.NopCloser(strings.NewReader(string(data))), -1
					want = "-1"
				}
				res, err := g.trusted().Do(request)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if sum := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || int(n) != size || res.Trailer.Get("X-Sum") != sum || res.Header.Get("X-Length") != want {
					t.Errorf("%d bytes, chunked %v: %d back, length %s, %v", size, chunked, n, res.Header.Get("X-Length"), err)
				}
			}
		}
	})
}

// Each piece must arrive before the next is sent: no hop may buffer.
func TestStreamsAreNotBuffered(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		for _, kind := range []string{"text/event-stream", "application/octet-stream"} {
			t.Run(kind, func(t *testing.T) {
				next := make(chan bool)
				upstream := u.echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", kind)
					w.Header().Set("X-Accel-Redirect", "/etc/passwd")
					for i := range 5 {
						fmt.Fprintf(w, "data: %d\n", i)
						http.NewResponseController(w).Flush()
						select {
						case <-next:
						case <-r.Context().Done():
							return
						}
					}
				})
				g := start(t, table(upstream.URL, ""))
				res, err := g.trusted().Get("http://demo.example/")
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if accel := res.Header.Get("X-Accel-Buffering"); (accel == "no") != (kind == "text/event-stream") || res.Header.Get("X-Accel-Redirect") != "" {
					t.Errorf("%v", res.Header)
				}
				reader := bufio.NewReader(res.Body)
				for i := range 5 {
					if line, err := reader.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
						t.Fatalf("%q %v", line, err)
					}
					next <- true
				}
				if _, err := reader.ReadByte(); err != io.EOF {
					t.Error(err)
				}
			})
		}
		t.Run("request", func(t *testing.T) {
			upstream := u.echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).EnableFullDuplex()
				buffer := make([]byte, 1)
				for {
					n, err := r.Body.Read(buffer)
					if n > 0 {
						w.Write(buffer[:n])
						http.NewResponseController(w).Flush()
					}
					if err != nil {
						return
					}
				}
			})
			g := start(t, table(upstream.URL, ""))
			conn, err := net.Dial("unix", g.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			buffer := make([]byte, 1)
			for _, c := range "abc" {
				if _, err := io.ReadFull(res.Body, buffer); err != nil || buffer[0] != byte(c) {
					t.Fatalf("%q %v", buffer, err)
				}
				if c < 'c' {
					fmt.Fprintf(conn, "1\r\n%c\r\n", c+1)
				}
			}
			fmt.Fprint(conn, "0\r\n\r\n")
			if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
				t.Errorf("%q %v", rest, err)
			}
		})
	})
}

// upgradeServer echoes lines after a WebSocket handshake, without frames, because the gateway does not parse them.
func (u upstreams) upgradeServer(t *testing.T) *httptest.Server {
	return u.echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			fmt.Fprintf(w, "no upgrade: %s", r.Header.Get("Upgrade"))
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", r.Header.Get("Sec-Websocket-Key"))
		io.Copy(conn, buffered)
	})
}

func openTunnel(t *testing.T, g *running, upgrade string) (net.Conn, *bufio.Reader, *http.Response) {
	conn, err := net.Dial("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: demo.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Key: abc\r\n\r\n", upgrade)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, reader, res
}

func TestWebSocket(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		g := start(t, table(u.upgradeServer(t).URL, ""), "GATEWAY_STREAM_SILENCE=300ms")
		conn, reader, res := openTunnel(t, g, "WebSocket")
		if res.StatusCode != 101 || res.Header.Get("Sec-Websocket-Accept") != "abc" {
			t.Fatalf("%+v", res)
		}
		for _, line := range []string{"hello\n", "GET / HTTP/1.1\r\nnot a request\r\n\r\n\n", strings.Repeat("x", 100000) + "\n"} {
			time.Sleep(150 * time.Millisecond) // in total longer than the allowed pause
			go io.WriteString(conn, line)
			got := make([]byte, len(line))
			if _, err := io.ReadFull(reader, got); err != nil || string(got) != line {
				t.Fatalf("%.50q %v", got, err)
			}
		}
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("a silent tunnel stays open: %v", err)
		}
		_, _, res = openTunnel(t, g, "h2c")
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "no upgrade: " {
			t.Errorf("h2c: %d %s", res.StatusCode, body)
		}
	})
}

// A client that does not read blocks neither the gateway nor the upstream for long.
func TestClientThatDoesNotRead(t *testing.T) {
	ended := make(chan bool, 1)
	upstream := echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- true }()
		block := make([]byte, 1<<20)
		for range 200 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		t.Error("200 MiB went to a client that reads nothing")
	})
	g := start(t, table(upstream.URL, ""), "GATEWAY_WRITE_TIMEOUT=200ms")
	conn, err := net.Dial("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("still held")
	}
}
