package nginx

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func readAll(r io.Reader) string {
	data, _ := io.ReadAll(r) // data before a reset counts
	return string(data)
}

// raw sends bytes on a new connection and returns everything it receives.
func (p *proxy) raw(bytes string) string {
	p.t.Helper()
	conn := must(tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls(p.certificate())))
	defer conn.Close()
	_, _ = io.WriteString(conn, bytes) // may be refused halfway
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	return readAll(conn)
}

func TestForgedHeaders(t *testing.T) {
	forged := http.Header{}
	for _, name := range []string{"X-Client-Cert-Verify", "X-Client-Cert-Subject", "X-Client-Cert-Serial", "X-Client-Cert-Fingerprint", "X-Client-Cert-Organization", "X-Client-Cert-Days-Left", "X-Client-Cert-Other",
		"X_Client_Cert_Serial", "X-Lockstep-Tenant", "X-Lockstep-Other", "X-Forwarded-Host", "X-Forwarded-Server", "X-Real-Ip", "Forwarded", "Proxy", "X-Original-Url"} {
		forged[name] = []string{"forged"}
	}
	forged["X-Forwarded-For"], forged["X-Forwarded-Proto"] = []string{"192.0.2.66"}, []string{"http"}
	for _, stage := range []string{"production", "demo"} {
		onBoth(t, stage, func(t *testing.T, p *proxy) {
			p.start()
			c := p.certificate()
			for _, http2 := range []bool{false, true} {
				a := send(t, p.client(c, http2, "127.0.0.1"), "GET", "/a%2Fb//c?d=e", forged, nil)
				if a.status != 200 || a.echo.URI != "/a%2Fb//c?d=e" || a.echo.Host != "demo.example" {
					t.Fatalf("%d %s", a.status, a.body)
				}
				want := map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "demo.example", "X-Lockstep-Tenant": "",
					"X-Client-Cert-Verify": "NONE"}
				if stage == "production" {
					want = map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Client-Cert-Verify": "SUCCESS", "X-Client-Cert-Serial": strings.ToUpper(c.serial.Text(16)),
						"X-Client-Cert-Organization": "acme", "X-Lockstep-Tenant": "acme", "X-Client-Cert-Subject": `CN=alice\, O=evil,O=acme,C=JP`}
				}
				for name, value := range want {
					got := strings.Join(a.echo.Header[name], " and ")
					if name == "X-Client-Cert-Serial" {
						got = strings.TrimLeft(got, "0")
					}
					if got != value {
						t.Errorf("%s: %q, expected %q", name, got, value)
					}
				}
				if stage == "demo" && a.echo.Header.Get("X-Client-Cert-Serial")+a.echo.Header.Get("X-Client-Cert-Days-Left") != "" {
					t.Error("a fact without a certificate")
				}
				delete(a.echo.Header, "X-Client-Cert-Other") // not read by anything; the gateway forwards it from the first hop
				for name, values := range a.echo.Header {
					if strings.Contains(strings.Join(values, " "), "forged") || strings.Contains(strings.Join(values, " "), "192.0.2.66") {
						t.Errorf("%s: %q came through", name, values)
					}
				}
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.start()
		made := regexp.MustCompile(`^[0-9a-f]{32}$`)
		var ids []string
		for given, kept := range map[string]bool{"abc-1.2_Z": true, strings.Repeat("x", 64): true, "": false, strings.Repeat("x", 65): false, "a b": false, `a"b`: false, "é": false} {
			a := send(t, p.browser(), "GET", "/", http.Header{"X-Request-Id": {given}}, nil)
			id := a.echo.Header.Get("X-Request-Id")
			if kept && id != given || !kept && !made.MatchString(id) || a.header.Get("X-Request-Id") != id {
				t.Errorf("%q: %q inwards, %q outwards", given, id, a.header.Get("X-Request-Id"))
			}
			ids = append(ids, id)
		}
		for _, id := range ids {
			eventually(t, "it is logged", func() bool { return strings.Contains(p.nginx.log.String(), `"request_id":"`+id+`"`) })
		}
		text := p.raw("GET / HTTP/1.1\r\nHost: demo.example\r\nX-Request-Id: one\r\nX-Request-Id: two\r\nConnection: close\r\n\r\n")
		if strings.Contains(text, "one, two") || strings.Contains(text, `"two"`) {
			t.Errorf("two ids: %s", text)
		}
	})
}

func TestAccessLog(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.start()
		send(t, p.browser(), "GET", `/path/with"quote?secret=1`, http.Header{"Referer": {"https://demo.example/?secret=2"}, "User-Agent": {"secret-3"}, "Cookie": {"secret=4"}}, nil)
		p.raw("BROKEN\r\n\r\n")
		p.raw("GET /?secret=5 HTTP/1.1\r\nHost: a b\r\n\r\n")
		var lines []map[string]any
		eventually(t, "all are logged", func() bool {
			lines = nil
			for line := range strings.Lines(p.nginx.log.String()) {
				var entry map[string]any
				if strings.HasPrefix(line, "{") {
					if err := json.Unmarshal([]byte(line), &entry); err != nil {
						t.Fatalf("%v: %s", err, line)
					}
					lines = append(lines, entry)
				}
			}
			return len(lines) >= 3
		})
		first := lines[0]
		if first["path"] != "/path/with%22quote" || first["status"] != 200.0 || first["client"] != "127.0.0.1" || first["method"] != "GET" || first["certificate"] == "" || first["gateway_status"] != "200" {
			t.Errorf("%v", first)
		}
		for line := range strings.Lines(p.nginx.log.String()) {
			if strings.HasPrefix(line, "{") && (strings.Contains(line, "secret") || strings.Contains(line, "alice")) {
				t.Errorf("told: %s", line)
			}
		}
	})
}

func TestProblems(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.edit("proxy.conf", "proxy_read_timeout 11m", "proxy_read_timeout 1s")
		p.start()
		client := p.browser()
		long := strings.Repeat("x", 9000)
		expect := func(what, text string, status int, code string) {
			t.Helper()
			if !strings.HasPrefix(text, fmt.Sprintf("HTTP/1.1 %d ", status)) || !strings.Contains(text, code) || strings.Contains(text, "<center>") || regexp.MustCompile(`nginx/\d`).MatchString(text) {
				t.Errorf("%s: %.800s", what, text)
			}
		}
		const host = "Host: demo.example\r\nAccept: application/json\r\nX-Request-Id: id-1\r\nConnection: close\r\n"
		expect("long address", p.raw("GET /"+long+" HTTP/1.1\r\n"+host+"\r\n"), 414, "address_too_long")
		expect("long header", p.raw("GET / HTTP/1.1\r\n"+host+"A: "+long+"\r\n\r\n"), 431, "headers_too_large")
		expect("no host", p.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), 400, "bad_request")
		expect("two hosts", p.raw("GET / HTTP/1.1\r\n"+host+"Host: other\r\n\r\n"), 400, "bad_request")
		expect("nonsense", p.raw("NONSENSE\r\n\r\n"), 400, "bad_request")
		expect("smuggling", p.raw("POST / HTTP/1.1\r\n"+host+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, "bad_request")
		expect("trace", p.raw("TRACE / HTTP/1.1\r\n"+host+"\r\n"), 405, "method_not_allowed")
		plain, err := http.Get("http://127.0.0.1:" + p.port + "/")
		if err != nil {
			t.Fatal(err)
		}
		plain.Body.Close()
		if plain.StatusCode != 400 {
			t.Errorf("plain HTTP: %d", plain.StatusCode)
		}
		for _, path := range []string{"/-/problem.html", "/-/problem.json"} {
			if a := get(t, client, path); a.status != 404 || a.code != "not_found" {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		p.gateway.stop(t)
		if a := get(t, client, "/"); a.status != 504 || a.code != "gateway_timeout" {
			t.Errorf("%d %s", a.status, a.body)
		}
		_ = p.gateway.command.Process.Signal(syscall.SIGCONT)
		p.gateway.end(syscall.SIGKILL)
		for accept, kind := range map[string]string{"application/json": "application/json; charset=utf-8", "text/html,*/*": "text/html; charset=utf-8", "*/*": "text/html; charset=utf-8", "": "text/html; charset=utf-8"} {
			a := send(t, client, "POST", "/", http.Header{"Accept": {accept}, "X-Request-Id": {"id-1"}}, strings.NewReader("body"))
			if a.status != 502 || a.header.Get("Content-Type") != kind || !strings.Contains(a.body, "gateway_unreachable") || !strings.Contains(a.body, "id-1") || strings.Contains(a.body, "<!--") ||
				a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Request-Id") != "id-1" || a.header.Get("Server") != "nginx" {
				t.Errorf("%s: %d %v %s", accept, a.status, a.header, a.body)
			}
		}
		if !p.alive() {
			t.Error("nginx is not healthy without its gateway")
		}
	})
}

func TestHeadersOfTheDemo(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Frame-Options", "SAMEORIGIN")
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			w.WriteHeader(500)
		}
		p.start()
		check := func(a answer) {
			t.Helper()
			for name, value := range map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
				"X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow"} {
				if values := a.header[name]; len(values) != 1 || values[0] != value {
					t.Errorf("%d: %s: %q", a.status, name, values)
				}
			}
			if !strings.Contains(a.header.Get("Permissions-Policy"), "geolocation=()") {
				t.Error("no Permissions-Policy")
			}
		}
		application := get(t, p.browser(), "/")
		check(application)
		if csp := application.header["Content-Security-Policy"]; len(csp) != 1 || csp[0] != "default-src 'self'" {
			t.Errorf("the application's own: %q", csp)
		}
		if a := get(t, p.browser(), "/robots.txt"); a.body != "User-agent: *\nDisallow: /\n" {
			t.Errorf("%d %s", a.status, a.body)
		} else {
			check(a)
		}
		check(get(t, p.browser(), "/-/problem.html"))
		for _, host := range []string{"localhost:8443", "demo-1.localhost"} {
			if a := send(t, p.browser(), "GET", "/", http.Header{"Host": {host}}, nil); a.header["Strict-Transport-Security"] != nil {
				t.Errorf("%s would be HTTPS for ever", host)
			}
		}
	})
}

func TestLimitsOfTheDemo(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		hold := make(chan bool)
		var held sync.WaitGroup
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hold" {
				held.Done()
				<-hold
			}
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, `{"Length": %d}`, n)
		}
		p.environ["TRUSTED_PROXIES"] = "127.0.0.9/32,2001:db8::/32"
		p.start()
		client := p.client(nil, false, "127.0.0.1")
		if a := send(t, client, "POST", "/", nil, strings.NewReader(strings.Repeat("x", 256<<10))); a.status != 200 || a.echo.Length != 256<<10 {
			t.Errorf("256 KiB: %d", a.status)
		}
		if a := send(t, client, "POST", "/", nil, strings.NewReader(strings.Repeat("x", 256<<10+1))); a.status != 413 || a.code != "body_too_large" {
			t.Errorf("256 KiB and one: %d %s", a.status, a.body)
		}
		if a := send(t, client, "POST", "/", nil, io.MultiReader(strings.NewReader(strings.Repeat("x", 300<<10)))); a.status != 413 {
			t.Errorf("in chunks: %d %s", a.status, a.body)
		}
		// flood returns how many of 400 simultaneous requests are refused.
		flood := func(client *http.Client, header http.Header) (refused int) {
			t.Helper()
			var mutex sync.Mutex
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					for range 20 {
						a, err := try(client, "GET", "/", header, nil)
						mutex.Lock()
						if err != nil || a.status != 200 && (a.status != 429 || a.code != "rate_limited" || a.header.Get("Retry-After") != "1") {
							t.Errorf("%d %v %s", a.status, err, a.body)
						}
						if a.status == 429 {
							refused++
						}
						mutex.Unlock()
					}
				})
			}
			all.Wait()
			return refused
		}
		if refused := flood(client, nil); refused == 0 || refused > 280 {
			t.Errorf("%d of 400 refused; 120 at once are allowed", refused)
		}
		if a := get(t, p.client(nil, false, "127.0.0.2"), "/"); a.status != 200 {
			t.Errorf("another address: %d", a.status)
		}
		balancer := p.client(nil, false, "127.0.0.9")
		if refused := flood(balancer, http.Header{"X-Forwarded-For": {"192.0.2.1"}}); refused == 0 {
			t.Error("no limit for who comes through a trusted proxy")
		}
		if a := send(t, balancer, "GET", "/", http.Header{"X-Forwarded-For": {"192.0.2.2"}}, nil); a.status != 200 {
			t.Errorf("its other clients: %d", a.status)
		}
		// An untrusted client can't change its address.
		if refused := flood(p.client(nil, false, "127.0.0.3"), http.Header{"X-Forwarded-For": {"192.0.2.3"}}); refused == 0 {
			t.Error("a forged address evades the limit")
		}
		if a := send(t, balancer, "GET", "/", http.Header{"X-Forwarded-For": {"192.0.2.3"}}, nil); a.status != 200 {
			t.Errorf("a forged address counts against another: %d", a.status)
		}
		held.Add(64)
		holding := p.client(nil, true, "127.0.0.4")
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() { _, _ = try(holding, "GET", "/hold", nil, nil) })
		}
		held.Wait()
		if a := get(t, p.client(nil, false, "127.0.0.4"), "/"); a.status != 429 {
			t.Errorf("the 65th at the same time: %d", a.status)
		}
		close(hold)
		all.Wait()
	})
}

func TestSlowClients(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.edit("nginx.conf", "client_header_timeout 10s", "client_header_timeout 1s")
		p.edit("nginx.conf", "client_body_timeout 20s", "client_body_timeout 1s")
		p.edit("nginx.conf", "send_timeout 30s", "send_timeout 1s")
		block := strings.Repeat("x", 1<<20)
		ended := make(chan bool, 1)
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			defer func() { ended <- true }()
			for range 200 {
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
			t.Error("200 MiB went to a client that reads nothing")
		}
		p.start()
		began := time.Now()
		silent := must(net.Dial("tcp", "127.0.0.1:"+p.port)) // sends nothing, not even a handshake
		defer silent.Close()
		readAll(silent)
		// Trickling does not help, because the timeout is for the whole header.
		conn := must(tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls(nil)))
		defer conn.Close()
		go func() {
			for _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\nA: "); err == nil; time.Sleep(50 * time.Millisecond) {
				_, err = io.WriteString(conn, "x")
			}
		}()
		readAll(conn)
		text := p.raw("POST / HTTP/1.1\r\nHost: demo.example\r\nContent-Length: 10\r\n\r\nhalf")
		if text != "" && !strings.HasPrefix(text, "HTTP/1.1 408") {
			t.Errorf("half a body: %.100s", text)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("slow clients were waited for for %v", took)
		}
		deaf := must(tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls(nil)))
		defer deaf.Close()
		io.WriteString(deaf, "GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n")
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Error("a client that does not read holds the application")
		}
	})
}

func TestStreams(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		next := make(chan bool)
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/events":
				w.Header().Set("Content-Type", "text/event-stream")
				for i := range 5 {
					fmt.Fprintf(w, "data: %d\n", i)
					_ = http.NewResponseController(w).Flush()
					<-next
				}
			case "/socket":
				conn, buffered, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
				io.Copy(conn, buffered)
			case "/sum":
				sum := sha256.New()
				io.Copy(sum, r.Body)
				fmt.Fprintf(w, "%x", sum.Sum(nil))
			default:
				io.WriteString(w, strings.Repeat("0123456789abcdef", 1<<19)) // 8 MiB
			}
		}
		p.start()
		for _, http2 := range []bool{false, true} {
			client := p.client(p.certificate(), http2, "127.0.0.1")
			res, err := client.Get("https://demo.example/events")
			if err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(res.Body)
			for i := range 5 {
				if line, err := reader.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
					t.Fatalf("%q %v", line, err)
				}
				next <- true
			}
			res.Body.Close()
			data := strings.Repeat("big upload ", 700_000)
			if a := send(t, client, "POST", "/sum", nil, strings.NewReader(data)); a.body != fmt.Sprintf("%x", sha256.Sum256([]byte(data))) {
				t.Errorf("upload of %d bytes: %d %.100s", len(data), a.status, a.body)
			}
			if a := send(t, client, "POST", "/sum", nil, strings.NewReader(strings.Repeat("x", 10<<20+1))); a.status != 413 {
				t.Errorf("upload of more than 10 MiB: %d", a.status)
			}
			if a := get(t, client, "/large"); len(a.body) != 8<<20 {
				t.Errorf("download: %d bytes", len(a.body))
			}
		}
		conn := must(tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls(p.certificate())))
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, "GET /socket HTTP/1.1\r\nHost: demo.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n")
		reader := bufio.NewReader(conn)
		res, err := http.ReadResponse(reader, nil)
		if err != nil || res.StatusCode != 101 {
			t.Fatalf("%+v %v", res, err)
		}
		for i := range 3 {
			fmt.Fprintf(conn, "line %d\n", i)
			if line, err := reader.ReadString('\n'); line != fmt.Sprintf("line %d\n", i) {
				t.Fatalf("%q %v", line, err)
			}
		}
	})
}
