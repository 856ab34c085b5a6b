package gateway

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	authorities "lockstep/proxy/internal/authority"
)

// tellsTLS responds with the protocol and whether the session was resumed, and closes the connection.
func tellsTLS(t *testing.T, config *tls.Config) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprintf(w, "%s resumed=%v name=%s", r.Proto, r.TLS.DidResume, r.TLS.ServerName)
	}))
	server.TLS = config
	server.EnableHTTP2 = true
	server.Config.ErrorLog = echoServer(t, "", nil).Config.ErrorLog
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestUpstreamSessions(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		server := tellsTLS(t, &tls.Config{MinVersion: version, MaxVersion: version})
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		g := start(t, table("https://localhost:"+port, ""))
		eventually(t, name+": sessions are resumed", func() bool {
			return g.get("/", nil).body == "HTTP/1.1 resumed=true name=localhost"
		})
	}
}

func TestUpstreamAuthority(t *testing.T) {
	one, other := tellsTLS(t, nil), tellsTLS(t, nil)
	// httptest's servers share one certificate. A file with it is an authority for both; any other file is for neither.
	authority := filepath.Join(t.TempDir(), "authority.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger := filepath.Join(t.TempDir(), "stranger.pem")
	made, err := authorities.New("stranger", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stranger, made.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, authority string
		status          int
	}{
		{"none: encrypted, not verified", "", 200},
		{"its own", authority, 200},
		{"another's", stranger, 502},
	} {
		var environ []string
		if test.authority != "" {
			environ = []string{"GATEWAY_UPSTREAM_AUTHORITY=" + test.authority}
		}
		g := start(t, table(other.URL, ""), environ...)
		if a := g.get("/", nil); a.status != test.status {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
		// A name that is not in the certificate.
		_, port, _ := net.SplitHostPort(other.Listener.Addr().String())
		g = start(t, table("https://localhost:"+port, ""), environ...)
		if a := g.get("/", nil); (a.status == 200) != (test.authority == "") {
			t.Errorf("%s, wrong name: %d %s", test.name, a.status, a.body)
		}
	}
}

// Nothing of the request is sent before the handshake ends, so even a POST is retried at the next upstream.
func TestHandshakesThatFail(t *testing.T) {
	fallback := upstreams{secure: true}.echoServer(t, "fallback", nil)
	for name, accept := range map[string]func(net.Conn){
		"closes":         func(c net.Conn) { c.Close() },
		"talks plainly":  func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n"); c.Close() },
		"hangs":          func(net.Conn) {},
		"too old for us": func(c net.Conn) { tls.Server(c, &tls.Config{MaxVersion: tls.VersionTLS11}).Handshake(); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			var accepted atomic.Int64
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					accepted.Add(1)
					go accept(conn)
				}
			}()
			g := start(t, table("https://"+listener.Addr().String(), fmt.Sprintf(`"fallback": %q`, fallback.URL)), "GATEWAY_DIAL_TIMEOUT=200ms", "GATEWAY_HEALTH_INTERVAL=1h")
			a := send(t, g.trusted(), "POST", "http://demo.example/", nil, strings.NewReader("once"))
			if a.echo.Name != "fallback" || a.echo.Body != "once" || accepted.Load() == 0 {
				t.Errorf("%d %s, %d connections", a.status, a.body, accepted.Load())
			}
			alone := start(t, table("https://"+listener.Addr().String(), ""), "GATEWAY_DIAL_TIMEOUT=200ms", "GATEWAY_HEALTH_INTERVAL=1h")
			if a := alone.get("/", nil); a.status != 502 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	g := start(t, table(echoServer(t, "one", nil).URL, ""), "GATEWAY_DRAIN_DELAY=300ms")
	environ := []string{"GATEWAY_ADMIN=" + g.admin}
	if err := Health(environ); err != nil {
		t.Error(err)
	}
	drained := make(chan error)
	go func() { drained <- g.close() }()
	eventually(t, "draining is not ready", func() bool {
		err := Health(environ)
		return err != nil && strings.Contains(err.Error(), "draining")
	})
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if err := Health(environ); err == nil {
		t.Error("healthy after its end")
	}
}
