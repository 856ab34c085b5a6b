package nginx

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lockstep/proxy/internal/authority"
)

// Without a verified certificate, clients get only the problem page.
func TestNobodyGetsInWithoutACertificate(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		var reached atomic.Int64
		p.upstream = func(w http.ResponseWriter, r *http.Request) { reached.Add(1) }
		revoked := p.certificate()
		p.revoke(revoked.serial)
		p.start()
		twin := must(authority.New("clients", time.Hour)) // another key under the same name
		for name, test := range map[string]struct {
			certificate *certificate
			code        string
		}{
			"none":        {nil, "certificate_required"},
			"revoked":     {revoked, "certificate_revoked"},
			"expired":     {clientOf(p.clients, "acme", time.Now().Add(-time.Hour)), "certificate_expired"},
			"stranger's":  {clientOf(twin, "acme", time.Now().Add(time.Hour)), "certificate_refused"},
			"a server's":  {&certificate{Certificate: serverPair(p)}, "certificate_refused"},
			"self-signed": {&certificate{Certificate: serverPair(&proxy{servers: twin})}, "certificate_refused"},
		} {
			for _, http2 := range []bool{false, true} {
				client := p.client(test.certificate, http2, "127.0.0.1")
				for _, path := range []string{"/", "/healthz", "/-/problem.html", "/-/problem.json", "/robots.txt", "/a/%2e%2e/", "/x?" + strings.Repeat("q", 1000)} {
					for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
						a := send(t, client, method, path, http.Header{"X-Client-Cert-Verify": {"SUCCESS"}}, strings.NewReader("body"))
						if a.status != 403 || a.code != test.code {
							t.Errorf("%s, HTTP/2 %v: %s %s: %d %s", name, http2, method, path, a.status, a.body)
						}
					}
				}
			}
			page := send(t, p.client(test.certificate, false, "127.0.0.1"), "GET", "/", http.Header{"Accept": {"text/html"}}, nil)
			if page.status != 403 || !strings.Contains(page.body, test.code) || !strings.Contains(page.body, "<h1>") || strings.Contains(page.body, "<!--") {
				t.Errorf("%s: %d %s", name, page.status, page.body)
			}
		}
		if n := reached.Load(); n != 0 {
			t.Errorf("%d requests reached the application", n)
		}
		if a := get(t, p.browser(), "/"); a.status != 200 || reached.Load() != 1 {
			t.Errorf("with a good certificate: %d %s", a.status, a.body)
		}
	})
}

func serverPair(p *proxy) tls.Certificate {
	pair := must(p.servers.Server("demo.example"))
	return must(tls.X509KeyPair(pair.Certificate, pair.Key))
}

// nginx reports how long the certificate is valid, and the gateway warns. A client can't change either.
func TestClientCertificateThatExpiresSoon(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.start()
		for days, left := range map[int]string{10: "10", 100: "100"} {
			c := clientOf(p.clients, "acme", time.Now().Add(time.Duration(days)*24*time.Hour+time.Hour))
			a := send(t, p.client(c, true, "127.0.0.1"), "GET", "/", http.Header{"X-Client-Cert-Days-Left": {"7"}, "X-Lockstep-Banner": {"forged"}}, nil)
			banner := a.echo.Header.Get("X-Lockstep-Banner")
			if got := a.echo.Header["X-Client-Cert-Days-Left"]; len(got) != 1 || got[0] != left || strings.Contains(banner, "days%20left:%2010.") != (days == 10) || strings.Contains(banner, "forged") {
				t.Errorf("%d days: %q %q", days, got, banner)
			}
		}
	})
}

// While a list expires, nothing is written and nginx is not reloaded; from that second on it admits nobody.
func TestRevocationListThatExpires(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.write("revoked.pem", must(p.clients.RevocationList(1, time.Now().Add(3*time.Second))))
		p.start()
		if a := get(t, p.browser(), "/"); a.status != 200 {
			t.Fatalf("before: %d %s", a.status, a.body)
		}
		eventually(t, "nobody is admitted", func() bool { return get(t, p.browser(), "/").code == "revocations_unknown" })
	})
}

// An expired list is not trusted for any client.
func TestExpiredRevocationList(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.write("revoked.pem", must(p.clients.RevocationList(1, time.Now().Add(-time.Minute))))
		p.start()
		if a := get(t, p.browser(), "/"); a.status != 403 || a.code != "revocations_unknown" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// A certificate is revoked at runtime. Other clients are not affected, a running download completes, and the revoked client is refused on new and
// existing connections and when it resumes its session.
func TestRevocationWhileRequestsRun(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		goOn := make(chan bool)
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/download" {
				for i := range 20 {
					fmt.Fprintf(w, "%01000d", i)
					_ = http.NewResponseController(w).Flush()
					if i == 10 {
						<-goOn
					}
				}
				return
			}
			fmt.Fprintf(w, `{"Length": %d}`, r.ContentLength)
		}
		p.start()
		mallory := p.certificate()
		kept := p.client(mallory, false, "127.0.0.1")
		keptHTTP2 := p.client(mallory, true, "127.0.0.1")
		for _, client := range []*http.Client{kept, keptHTTP2} {
			if a := get(t, client, "/"); a.status != 200 {
				t.Fatalf("before: %d", a.status)
			}
		}
		// Checks that sessions are resumed while nothing changes; otherwise the last part of this test would prove nothing.
		session := p.tls(mallory)
		session.ClientSessionCache, session.MinVersion = tls.NewLRUClientSessionCache(0), tls.VersionTLS13
		for _, resumed := range []bool{false, true} {
			if didResume, status := oneRequest(t, p, session); didResume != resumed || status != "200" {
				t.Errorf("resumed %v, status %s", didResume, status)
			}
		}
		download := make(chan error, 1)
		go func() {
			a, err := try(p.client(p.certificate(), false, "127.0.0.1"), "GET", "/download", nil, nil)
			if err == nil && len(a.body) != 20000 {
				err = fmt.Errorf("%d bytes", len(a.body))
			}
			download <- err
		}()
		stop := p.load(4, false)
		stopHTTP2 := p.load(2, true)
		p.reloaded(func() { p.revoke(mallory.serial) })
		if didResume, status := oneRequest(t, p, session); didResume || status != "403" {
			t.Errorf("after the revocation: resumed %v, status %s", didResume, status)
		}
		for name, client := range map[string]*http.Client{"HTTP/1.1": kept, "HTTP/2": keptHTTP2, "new": p.client(mallory, false, "127.0.0.1")} {
			// The old workers close idle connections soon.
			eventually(t, name+" connection of the revoked client is refused", func() bool { return get(t, client, "/").code == "certificate_revoked" })
		}
		goOn <- true
		if err := <-download; err != nil {
			t.Errorf("the download that was under way: %v", err)
		}
		for _, stop := range []func() (int, int){stop, stopHTTP2} {
			if answered, failed := stop(); answered == 0 || failed != 0 {
				t.Errorf("%d of %d requests failed", failed, answered)
			}
		}
	})
}

// oneRequest uses a new connection, and reads to the end so that session tickets sent after the handshake are stored.
func oneRequest(t *testing.T, p *proxy, config *tls.Config) (resumed bool, status string) {
	t.Helper()
	conn, err := tls.Dial("tcp", "127.0.0.1:"+p.port, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\nConnection: close\r\n\r\n")
	a := readAll(conn)
	if len(a) < 12 {
		t.Fatalf("no answer: %q", a)
	}
	return conn.ConnectionState().DidResume, a[9:12]
}

func TestProtocolsOfTLS(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.start()
		for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			config := p.tls(p.certificate())
			config.MinVersion, config.MaxVersion = version, version
			conn, err := tls.Dial("tcp", "127.0.0.1:"+p.port, config)
			if err == nil {
				conn.Close()
			}
			if (err == nil) != accepted {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
		}
		config := p.tls(p.certificate())
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		if conn, err := tls.Dial("tcp", "127.0.0.1:"+p.port, config); err == nil {
			conn.Close()
			t.Error("an old cipher is accepted")
		}
		if a := get(t, p.client(p.certificate(), true, "127.0.0.1"), "/"); a.status != 200 || a.proto != "HTTP/2.0" {
			t.Errorf("%d %s", a.status, a.proto)
		}
	})
}
