package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/proxy/internal/testlog"
)

// running is a gateway with a trusted socket and an untrusted loopback port.
type running struct {
	*Main
	t      *testing.T
	routes string
	socket string
	port   string
	admin  string
	log    *testlog.Buffer
	once   sync.Once
}

// start runs a gateway with short timeouts. environ overrides the defaults.
func start(t *testing.T, table string, environ ...string) *running {
	t.Helper()
	directory, err := os.MkdirTemp("", "gateway") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	r := &running{t: t, routes: filepath.Join(directory, "routes.json"), socket: filepath.Join(directory, "g.sock"), log: &testlog.Buffer{}}
	r.write(table)
	r.Main = &Main{Log: r.log, Environ: append([]string{"EDITION=demo", "GATEWAY_ROUTES=" + r.routes, "GATEWAY_ADMIN=127.0.0.1:0",
		"GATEWAY_LISTEN=unix:" + r.socket + ",127.0.0.1:0", "GATEWAY_ROUTES_POLL=10ms", "GATEWAY_DRAIN_DELAY=50ms", "GATEWAY_DRAIN_TIMEOUT=5s",
		"GATEWAY_HEALTH_INTERVAL=50ms", "GATEWAY_HEALTH_TIMEOUT=5s", "GATEWAY_RESPONSE_TIMEOUT=10s"}, environ...)}
	if err := r.Run(); err != nil {
		t.Fatal(err)
	}
	r.port, r.admin = r.at[len(r.at)-1], r.adminAt
	t.Cleanup(func() {
		r.close()
		if t.Failed() {
			text := r.log.String()
			t.Logf("log:\n%s", text[max(0, len(text)-40000):])
		}
	})
	return r
}

func (r *running) close() (err error) {
	r.once.Do(func() { err = r.Close() })
	return err
}

// write replaces the routing file atomically, with a rename.
func (r *running) write(table string) {
	r.t.Helper()
	fresh := r.routes + ".new"
	if err := os.WriteFile(fresh, []byte(table), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(fresh, r.routes); err != nil {
		r.t.Fatal(err)
	}
}

// swap writes the table and waits until it takes effect.
func (r *running) swap(table string) {
	r.t.Helper()
	old := r.file.Table()
	r.write(table)
	eventually(r.t, "the table is swapped", func() bool { return r.file.Table() != old })
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// trusted returns a client like nginx.
func (r *running) trusted() *http.Client {
	return unixClient(r.t, r.socket)
}

func unixClient(t *testing.T, socket string) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type answer struct {
	status int
	header http.Header
	body   string
	echo   echo // if the body is one
}

func send(t *testing.T, client *http.Client, method, url string, header http.Header, body io.Reader) answer {
	t.Helper()
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		if name == "Host" {
			request.Host = values[0]
		} else {
			request.Header[name] = values
		}
	}
	res, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(data)}
	_ = json.Unmarshal(data, &a.echo) // fails for problem pages
	return a
}

// get sends a request as the first hop.
func (r *running) get(path string, header http.Header) answer {
	r.t.Helper()
	return send(r.t, r.trusted(), "GET", "http://demo.example"+path, header, nil)
}

// echo is the echo server's response, which describes a request.
type echo struct {
	Name   string
	Method string
	Host   string
	URI    string
	Header http.Header
	Body   string
}

// upstreams creates upstreams with or without TLS.
type upstreams struct{ secure bool }

// overBoth runs test with upstreams without TLS, then with the same ones over TLS.
func overBoth(t *testing.T, test func(t *testing.T, u upstreams)) {
	for _, u := range []upstreams{{false}, {true}} {
		t.Run(map[bool]string{false: "http", true: "https"}[u.secure], func(t *testing.T) {
			t.Parallel()
			test(t, u)
		})
	}
}

func (u upstreams) server(handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // discards errors of handshakes that tests break
	if u.secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	return server
}

func echoServer(t *testing.T, name string, special http.HandlerFunc) *httptest.Server {
	return upstreams{}.echoServer(t, name, special)
}

// echoServer returns a server that echoes requests, and responds to /health with 200.
func (u upstreams) echoServer(t *testing.T, name string, special http.HandlerFunc) *httptest.Server {
	server := u.server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if special != nil && r.URL.Path != "/health" {
			special(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(echo{name, r.Method, r.Host, r.RequestURI, r.Header, string(body)})
	}))
	t.Cleanup(server.Close)
	return server
}

// table routes everything to one shard; more is appended to the shard's fields.
func table(upstream, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"edition": "demo", "tenantRules": [{"header": "X-Tenant"}], "shards": {"one": {"upstream": %q%s}}, "default": "one"}`, upstream, more)
}

// raw sends bytes and returns all responses until the connection is closed or silent for a second.
func raw(t *testing.T, network, address, bytes string) []answer {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, bytes); err != nil && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	return responses(bufio.NewReader(conn))
}

func responses(reader *bufio.Reader) []answer {
	var all []answer
	for {
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			return all
		}
		body, _ := io.ReadAll(res.Body)
		a := answer{status: res.StatusCode, header: res.Header, body: string(body)}
		if res.Close {
			a.header.Set("Connection", "close")
		}
		all = append(all, a)
		if res.Close {
			return all
		}
	}
}
