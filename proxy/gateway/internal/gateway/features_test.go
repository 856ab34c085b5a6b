package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFlags(t *testing.T) {
	upstream := echoServer(t, "one", nil)
	for _, test := range []struct {
		name, more string
		environ    []string
		path       string
		status     int
		code       string
		header     [2]string
	}{
		{name: "plain", path: "/", status: 200},
		{name: "maintenance by environment", environ: []string{"GATEWAY_MAINTENANCE=on"}, path: "/", status: 503, code: "maintenance"},
		{name: "maintenance of a shard", more: `"maintenance": {"on": true, "message": "At <noon>", "retryAfterSeconds": 90}`, path: "/", status: 503, code: "At \\u003cnoon\\u003e", header: [2]string{"Retry-After", "90"}},
		{name: "sign-up closed by default", path: "/signup", status: 403, code: "sign_up_closed"},
		{name: "sign-up in disguise", path: "//SignUp;x=y/form", status: 403, code: "sign_up_closed"},
		{name: "sign-up encoded", path: "/%73ign%75p", status: 403, code: "sign_up_closed"},
		{name: "not sign-up", path: "/signups", status: 200},
		{name: "sign-up open", environ: []string{"GATEWAY_SIGN_UP=open"}, path: "/signup", status: 200},
		{name: "headers set", environ: []string{`GATEWAY_RESPONSE_HEADERS=[{"action":"set","name":"X-Robots-Tag","value":"noindex"}]`}, path: "/", status: 200, header: [2]string{"X-Robots-Tag", "noindex"}},
		{name: "headers on pages", environ: []string{`GATEWAY_RESPONSE_HEADERS=[{"action":"set","name":"X-Robots-Tag","value":"noindex"}]`, "GATEWAY_MAINTENANCE=on"}, path: "/", status: 503, header: [2]string{"X-Robots-Tag", "noindex"}},
		{name: "default keeps", environ: []string{`GATEWAY_RESPONSE_HEADERS=[{"action":"default","name":"Content-Type","value":"text/x"}]`}, path: "/", status: 200, header: [2]string{"Content-Type", "application/json"}},
		{name: "removed", environ: []string{`GATEWAY_RESPONSE_HEADERS=[{"action":"remove","name":"content-type"}]`}, path: "/", status: 200, header: [2]string{"Content-Type", ""}},
		{name: "added", environ: []string{`GATEWAY_RESPONSE_HEADERS=[{"action":"add","name":"Vary","value":"Cookie"}]`}, path: "/", status: 200, header: [2]string{"Vary", "Cookie"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, table(upstream.URL, test.more), test.environ...)
			a := g.get(test.path, http.Header{"Accept": {"application/json"}})
			if a.status != test.status || !strings.Contains(a.body, test.code) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if test.header[0] != "" && a.header.Get(test.header[0]) != test.header[1] {
				t.Errorf("%v", a.header)
			}
		})
	}
	g := start(t, strings.Replace(table(upstream.URL, ""), `"default": "one"`, `"hosts": {"other.example": "one"}`, 1))
	if a := g.get("/", nil); a.status != 404 || !strings.Contains(a.body, "not_routed") {
		t.Errorf("%+v", a)
	}
}

func TestRateLimitIsPerTenant(t *testing.T) {
	g := start(t, table(echoServer(t, "one", nil).URL, ""), "GATEWAY_RATE_LIMIT=0.01", "GATEWAY_RATE_BURST=3")
	for _, from := range []http.Header{{"X-Tenant": {"a"}}, {"X-Tenant": {"b"}}, {"X-Forwarded-For": {"192.0.2.1"}}, {"X-Forwarded-For": {"192.0.2.2"}}} {
		for i, want := range []int{200, 200, 200, 429, 429} {
			a := g.get("/", from.Clone())
			if a.status != want || want == 429 && (a.header.Get("Retry-After") != "100" || !strings.Contains(a.body, "rate_limited")) {
				t.Errorf("%v, request %d: %d %s", from, i, a.status, a.header.Get("Retry-After"))
			}
		}
	}
}

func TestSessionsStayWithTheirTrack(t *testing.T) {
	stable, canary := echoServer(t, "stable", nil), echoServer(t, "canary", nil)
	at := func(weight int) string {
		return table(stable.URL, fmt.Sprintf(`"canary": {"upstream": %q, "weight": %d}`, canary.URL, weight))
	}
	g := start(t, at(50))
	type session struct{ tenant, cookie, name string }
	var sessions []session
	names := map[string]int{}
	for i := range 40 {
		tenant := fmt.Sprintf("tenant-%d", i)
		a := g.get("/", http.Header{"X-Tenant": {tenant}, "X-Forwarded-Proto": {"https"}})
		cookie := a.header.Get("Set-Cookie")
		if !strings.Contains(cookie, "; Secure") || !strings.Contains(cookie, "; HttpOnly") || strings.Contains(cookie, "Expires") {
			t.Fatalf("cookie %q", cookie)
		}
		value, _, _ := strings.Cut(cookie, ";")
		sessions = append(sessions, session{tenant, value, a.echo.Name})
		names[a.echo.Name]++
	}
	if names["stable"] < 8 || names["canary"] < 8 {
		t.Fatalf("not divided: %v", names)
	}
	for _, weight := range []int{0, 100, 10, 90, 50} {
		g.swap(at(weight))
		for _, s := range sessions {
			a := g.get("/", http.Header{"X-Tenant": {s.tenant}, "Cookie": {"a=b; " + s.cookie}})
			if a.echo.Name != s.name || a.header.Get("Set-Cookie") != "" {
				t.Fatalf("weight %d: %s flipped from %s to %s", weight, s.tenant, s.name, a.echo.Name)
			}
		}
	}
	g.swap(at(100))
	if a := g.get("/", http.Header{"X-Tenant": {"tenant-1"}, "Cookie": {"lockstep_track=other.stable"}}); a.echo.Name != "canary" || a.header.Get("Set-Cookie") == "" {
		t.Errorf("another shard's pin counts: %+v", a)
	}
	g.swap(table(stable.URL, ""))
	for _, s := range sessions {
		if a := g.get("/", http.Header{"X-Tenant": {s.tenant}, "Cookie": {s.cookie}}); a.echo.Name != "stable" {
			t.Fatalf("the canary is gone, yet %s is on %s", s.tenant, a.echo.Name)
		}
	}
	off := start(t, at(100), "GATEWAY_CANARY=off")
	if a := off.get("/", http.Header{"Cookie": {"lockstep_track=one.canary"}}); a.echo.Name != "stable" {
		t.Errorf("the flag is off: %+v", a)
	}
}

// A session that moved away from a failed canary stays with stable when the canary comes back.
func TestFailedCanaryMovesSessionsOnce(t *testing.T) {
	var sick atomic.Bool
	canary := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sick.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"Name": "canary"}`)
	}))
	t.Cleanup(canary.Close)
	g := start(t, table(echoServer(t, "stable", nil).URL, fmt.Sprintf(`"canary": {"upstream": %q, "weight": 100}`, canary.URL)))
	ask := func(cookie string) (string, string) {
		a := g.get("/", http.Header{"X-Tenant": {"acme"}, "Cookie": {cookie}})
		value, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
		return a.echo.Name, value
	}
	if name, pin := ask("a=b"); name != "canary" || pin != "lockstep_track=one.canary" {
		t.Fatalf("%s %s", name, pin)
	}
	sick.Store(true)
	eventually(t, "stable answers for the canary", func() bool { name, _ := ask("lockstep_track=one.canary"); return name == "stable" })
	for _, cookie := range []string{"a=b", "lockstep_track=one.canary"} {
		if name, pin := ask(cookie); name != "stable" || pin != "lockstep_track=one.stable" {
			t.Errorf("%s: %s %s", cookie, name, pin)
		}
	}
	sick.Store(false)
	eventually(t, "the canary is back", func() bool { name, _ := ask("a=b"); return name == "canary" })
	if name, pin := ask("lockstep_track=one.stable"); name != "stable" || pin != "" {
		t.Errorf("flipped back: %s %s", name, pin)
	}
}

func TestBadRoutingFileIsRefused(t *testing.T) {
	g := start(t, table(echoServer(t, "one", nil).URL, ""))
	g.write(`{"edition": "production", "shards": {"one": {"upstream": "nowhere"}}, "default": "two"}`)
	eventually(t, "it is rejected", func() bool { return strings.Contains(g.log.String(), "rejected") })
	for _, want := range []string{"edition:", "shards.one.upstream:", "default:"} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("%s is not logged", want)
		}
	}
	if a := g.get("/", nil); a.echo.Name != "one" {
		t.Errorf("the old table is gone: %+v", a)
	}
}

func TestAdmin(t *testing.T) {
	g := start(t, table(echoServer(t, "one", nil).URL, ""), "GATEWAY_DRAIN_DELAY=300ms")
	g.get("/private?name=secret", http.Header{"X-Tenant": {"acme"}})
	g.get("/signup", nil)
	admin := func(path string) answer { return send(t, http.DefaultClient, "GET", "http://"+g.admin+path, nil, nil) }
	if a := admin("/healthz"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if a := admin("/readyz"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	metrics := admin("/metrics").body
	for _, want := range []string{`gateway_requests_total{edition="demo",role="stable",shard="one",status="200"} 1`, `gateway_problems_total{code="sign_up_closed",edition="demo"} 1`,
		`gateway_maintenance{edition="demo",shard="one"} 0`, `gateway_upstream_healthy{`, "go_goroutines"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(metrics, "acme") || strings.Contains(g.log.String(), "secret") {
		t.Error("a tenant in the metrics, or a query in the log")
	}
	if log := g.log.String(); !strings.Contains(log, `"tenant":"acme"`) || !strings.Contains(log, `"request_id":"`) {
		t.Errorf("%s", log)
	}
	done := make(chan error)
	go func() { done <- g.close() }()
	eventually(t, "readiness goes first", func() bool { return admin("/readyz").status == 503 })
	// Requests are still served, but their connections are closed.
	a := send(t, g.trusted(), "GET", "http://demo.example/", nil, nil)
	if a.status != 200 {
		t.Errorf("%+v", a)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	// No goroutines or files are left.
	if _, err := http.Get("http://" + g.admin + "/healthz"); err == nil {
		t.Error("the admin listener still answers")
	}
}

func TestDrainWaitsForWhatRuns(t *testing.T) {
	release := make(chan bool)
	slow := echoServer(t, "one", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "first ")
		http.NewResponseController(w).Flush()
		<-release
		fmt.Fprint(w, "last")
	})
	g := start(t, table(slow.URL, ""))
	res, err := g.trusted().Get("http://demo.example/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	done := make(chan error)
	go func() { done <- g.close() }()
	select {
	case err := <-done:
		t.Fatalf("ended while a request ran: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(release)
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "first last" {
		t.Errorf("%q %v", body, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}

	// Draining waits for a WebSocket, then closes it.
	tunnels := start(t, table(upstreams{}.upgradeServer(t).URL, ""), "GATEWAY_DRAIN_TIMEOUT=200ms")
	_, reader, _ := openTunnel(t, tunnels, "websocket")
	began := time.Now()
	if err := tunnels.close(); err == nil || time.Since(began) < 200*time.Millisecond || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("still open")
	}
}
