package gateway

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestOnlyTheFirstHopIsBelieved(t *testing.T) {
	upstream := echoServer(t, "one", nil)
	g := start(t, table(upstream.URL, ""), "GATEWAY_BANNER=架空のデータ only", "GATEWAY_SIGN_UP=open")
	forged := http.Header{
		"X-Forwarded-For": {"6.6.6.6, 192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}, "X-Forwarded-Port": {"1"},
		"Forwarded": {"for=6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"}, "X-Request-Id": {"id-from-nginx"},
		"X-Client-Cert-Subject": {"CN=clinic"}, "X_client_cert_subject": {"CN=evil"}, "X-Client_Cert-Subject": {"CN=evil"},
		"X-Lockstep-Tenant": {"evil"}, "X-Lockstep-Banner": {"evil"}, "X-Original-Url": {"/evil"}, "X-Tenant": {"Acme"},
		"Connection": {"X-Client-Cert-Subject, X-Lockstep-Shard"},
	}
	for _, test := range []struct {
		name, client, address, proto, certificate string
		keepsID                                   bool
	}{
		{"trusted socket", "unix", "192.0.2.7", "https", "CN=clinic", true},
		{"loopback port", "tcp", "127.0.0.1", "http", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, url := g.trusted(), "http://demo.example/a?b=c"
			if test.client == "tcp" {
				client, url = http.DefaultClient, "http://"+g.port+"/a?b=c"
			}
			a := send(t, client, "GET", url, forged.Clone(), nil)
			h := a.echo.Header
			for name, want := range map[string]string{"X-Forwarded-For": test.address, "X-Forwarded-Proto": test.proto, "X-Forwarded-Host": a.echo.Host,
				"X-Client-Cert-Subject": test.certificate, "X-Lockstep-Tenant": "acme", "X-Lockstep-Shard": "one", "X-Lockstep-Edition": "demo",
				"X-Lockstep-Sign-Up": "open", "X-Lockstep-Banner": "%E6%9E%B6%E7%A9%BA%E3%81%AE%E3%83%87%E3%83%BC%E3%82%BF%20only",
				"X-Request-Id": a.header.Get("X-Request-Id"), "X-Forwarded-Port": "", "Forwarded": "", "X-Real-Ip": "", "X-Original-Url": ""} {
				if got := strings.Join(h[name], "|"); got != want {
					t.Errorf("%s: %q, expected %q", name, got, want)
				}
			}
			for name := range h {
				if strings.Contains(name, "_") {
					t.Errorf("%s came through", name)
				}
			}
			if keeps := a.header.Get("X-Request-Id") == "id-from-nginx"; keeps != test.keepsID || a.header.Get("X-Request-Id") == "" {
				t.Errorf("request id %q", a.header.Get("X-Request-Id"))
			}
			if a.echo.URI != "/a?b=c" || test.client == "unix" && a.echo.Host != "demo.example" {
				t.Errorf("%+v", a.echo)
			}
		})
	}
}

// A client can't warn itself or others: only the first hop's socket is believed. Each way of forwarding warns.
func TestHoldersOfCertificatesThatExpireAreWarned(t *testing.T) {
	g := start(t, table(echoServer(t, "one", nil).URL, ""))
	for _, test := range []struct {
		days, method, warning string
		trusted               bool
	}{
		{"29", "GET", "Full days left: 29.", true},
		{"0", "GET", "Full days left: 0.", true},
		{"3", "POST", "Full days left: 3.", true},
		{"30", "GET", "", true},
		{"3", "GET", "", false},
		{"soon", "GET", "", true},
	} {
		client, at := g.trusted(), "http://demo.example/"
		if !test.trusted {
			client, at = http.DefaultClient, "http://"+g.port+"/"
		}
		a := send(t, client, test.method, at, http.Header{"X-Client-Cert-Days-Left": {test.days}}, strings.NewReader("x=y"))
		banner, err := url.PathUnescape(a.echo.Header.Get("X-Lockstep-Banner"))
		if a.status != 200 || err != nil || test.warning == "" && banner != "" || !strings.Contains(banner, test.warning) {
			t.Errorf("%+v: %d %q %v", test, a.status, banner, err)
		}
	}
}

func TestSmuggling(t *testing.T) {
	var reached atomic.Int64
	upstream := echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "smuggled") {
			reached.Add(1)
		}
	})
	g := start(t, table(upstream.URL, ""), "GATEWAY_MAX_HEADER_BYTES=8192")
	const host = "Host: demo.example\r\n"
	const smuggled = "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"CL and TE", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
		{"TE and CL", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n" + smuggled, 400},
		{"CL and TE in the second request", "GET / HTTP/1.1\r\n" + host + "\r\nPOST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
		{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 60\r\n\r\n" + smuggled, 400},
		{"two equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + smuggled, 400},
		{"list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0, 0\r\n\r\n" + smuggled, 400},
		{"signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +0\r\n\r\n" + smuggled, 400},
		{"unknown encoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, 501},
		{"encoding twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled, 501},
		{"space before colon", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
		{"folded", "POST / HTTP/1.1\r\n" + host + "X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n" + smuggled, 400},
		{"bare line feeds", "GET / HTTP/1.1\n" + "Host: demo.example\n\n" + smuggled, 400},
		{"bare carriage return", "GET / HTTP/1.1\r\n" + host + "X-A: b\rX-C: d\r\n\r\n" + smuggled, 400},
		{"two hosts", "GET / HTTP/1.1\r\n" + host + "Host: other.example\r\n\r\n" + smuggled, 400},
		{"no host", "GET / HTTP/1.1\r\n\r\n" + smuggled, 400},
		{"bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + smuggled, 400},
		{"bad name", "GET / HTTP/1.1\r\n" + host + "X(A): b\r\n\r\n" + smuggled, 400},
		{"bad value", "GET / HTTP/1.1\r\n" + host + "X-A: b\x00c\r\n\r\n" + smuggled, 400},
		{"no colon", "GET / HTTP/1.1\r\n" + host + "nonsense\r\n\r\n" + smuggled, 400},
		{"fact twice", "GET / HTTP/1.1\r\n" + host + "X-Client-Cert-Subject: a\r\nX-Client-Cert-Subject: b\r\n\r\n" + smuggled, 400},
		{"bad forwarded-for", "GET / HTTP/1.1\r\n" + host + "X-Forwarded-For: nobody\r\n\r\n" + smuggled, 400},
		{"bad forwarded-proto", "GET / HTTP/1.1\r\n" + host + "X-Forwarded-Proto: gopher\r\n\r\n" + smuggled, 400},
		{"dot segments", "GET /a/../b HTTP/1.1\r\n" + host + "\r\n" + smuggled, 400},
		{"encoded dot segments", "GET /a/%2e%2E/b HTTP/1.1\r\n" + host + "\r\n" + smuggled, 400},
		{"dots with a parameter", "GET /a/..;x/b HTTP/1.1\r\n" + host + "\r\n" + smuggled, 400},
		{"backslash", "GET /a\\b HTTP/1.1\r\n" + host + "\r\n" + smuggled, 400},
		{"star", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n" + smuggled, 400},
		{"connect", "CONNECT evil:25 HTTP/1.1\r\nHost: evil:25\r\n\r\n" + smuggled, 405},
		{"trace", "TRACE / HTTP/1.1\r\n" + host + "\r\n" + smuggled, 405},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n" + host + "Connection: keep-alive\r\n\r\n" + smuggled, 505},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"oversized header", "GET / HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("a", 16<<10) + "\r\n\r\n" + smuggled, 431},
		{"oversized target", "GET /" + strings.Repeat("a", 16<<10) + " HTTP/1.1\r\n" + host + "\r\n" + smuggled, 431},
		{"many headers", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X-A: b\r\n", 3000) + "\r\n" + smuggled, 431},
		{"bad expectation", "POST / HTTP/1.1\r\n" + host + "Expect: miracles\r\nContent-Length: 0\r\n\r\n" + smuggled, 417},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, accept := range []string{"text/html", "application/json"} {
				request := test.request
				if line := strings.Index(request, "\r\n"); line > 0 && accept == "application/json" && !strings.HasPrefix(test.name, "CL and TE in") && !strings.HasPrefix(test.name, "bare line") && !strings.HasPrefix(test.name, "HTTP/2") && test.name != "oversized target" {
					request = request[:line] + "\r\nAccept: application/json" + request[line:]
				}
				all := raw(t, "unix", g.socket, request)
				if len(all) == 0 {
					t.Fatal("no answer")
				}
				last := all[len(all)-1]
				if last.status != test.status || last.header.Get("Connection") != "close" {
					t.Errorf("%d (%v), expected %d and the end: %s", last.status, last.header, test.status, last.body)
				}
				if kind := last.header.Get("Content-Type"); request != test.request && !strings.HasPrefix(kind, accept) || !strings.Contains(last.body, fmt.Sprint(test.status)) {
					t.Errorf("as %s: %s %s", accept, kind, last.body)
				}
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d smuggled requests reached the upstream", n)
	}
}

func TestLawfulFraming(t *testing.T) {
	upstream := echoServer(t, "one", nil)
	g := start(t, table(upstream.URL, ""))
	const host = "Host: demo.example\r\n"
	request := "GET /1 HTTP/1.1\r\n" + host + "\r\n" +
		"POST /2 HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello" +
		"POST /3 HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nworld\r\n3\r\n, \n\r\n0\r\nX-Trailer: t\r\n\r\n" +
		"GET http://demo.example/4?x HTTP/1.1\r\n" + host + "X-Long: " + strings.Repeat("l", 5000) + "\r\nConnection: close\r\n\r\n"
	check := func(how string, all []answer) {
		t.Helper()
		if len(all) != 4 {
			t.Fatalf("%s: %d answers: %+v", how, len(all), all)
		}
		for i, want := range []string{`/1`, `"Body":"hello"`, `"Body":"world, \n"`, `/4?x`} {
			if all[i].status != 200 || !strings.Contains(all[i].body, want) {
				t.Errorf("%s, %d: %d %s", how, i, all[i].status, all[i].body)
			}
		}
	}
	check("at once", raw(t, "unix", g.socket, request))
	conn, err := net.Dial("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range len(request) {
		if _, err := conn.Write([]byte{request[i]}); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	check("byte by byte", responses(bufio.NewReader(conn)))
}

func TestSlowClients(t *testing.T) {
	upstream := echoServer(t, "one", nil)
	g := start(t, table(upstream.URL, ""), "GATEWAY_HEADER_TIMEOUT=150ms", "GATEWAY_BODY_TIMEOUT=150ms", "GATEWAY_MAX_BODY_BYTES=1000", "GATEWAY_IDLE_TIMEOUT=150ms")
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"in the request line", "GET / HT", 408},
		{"in the header", "GET / HTTP/1.1\r\nHost: demo.example\r\nX-A: ", 408},
		{"in the body", "POST / HTTP/1.1\r\nHost: demo.example\r\nContent-Length: 10\r\n\r\nhello", 408},
		{"in a chunk", "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello", 408},
		{"length too large", "POST / HTTP/1.1\r\nHost: demo.example\r\nContent-Length: 1001\r\n\r\n", 413},
		{"chunks too large", "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("a", 1001) + "\r\n0\r\n\r\n", 413},
		{"broken chunk", "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			all := raw(t, "unix", g.socket, test.request)
			if len(all) != 1 || all[0].status != test.status || all[0].header.Get("Connection") != "close" || !strings.Contains(all[0].body, "<h1>") {
				t.Errorf("%+v", all)
			}
		})
	}
	// A slow body without long pauses is accepted.
	t.Run("slow but alive", func(t *testing.T) {
		conn, err := net.Dial("unix", g.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: demo.example\r\nContent-Length: 10\r\nConnection: close\r\n\r\n")
		for range 10 {
			time.Sleep(40 * time.Millisecond)
			fmt.Fprint(conn, "x")
		}
		if all := responses(bufio.NewReader(conn)); len(all) != 1 || !strings.Contains(all[0].body, "xxxxxxxxxx") {
			t.Errorf("%+v", all)
		}
	})
}
