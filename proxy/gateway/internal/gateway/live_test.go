package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Changes everything that an operator can change while requests run. No request may fail.
func TestNothingFailsWhileEverythingChanges(t *testing.T) {
	overBoth(t, func(t *testing.T, u upstreams) {
		slowly := func(name string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				fmt.Fprint(w, `{"Name": "`)
				if r.URL.Path == "/slow" {
					http.NewResponseController(w).Flush()
					time.Sleep(20 * time.Millisecond)
				}
				fmt.Fprintf(w, `%s", "Body": %q}`, name, body)
			}
		}
		stable, canary, fallback, other := u.echoServer(t, "stable", slowly("stable")), u.echoServer(t, "canary", slowly("canary")),
			u.echoServer(t, "fallback", slowly("fallback")), u.echoServer(t, "other", slowly("other"))
		at := func(target string, weight int, maintenance bool) string {
			return fmt.Sprintf(`{"edition": "demo", "tenantRules": [{"header": "X-Tenant"}], "shards": {
		  "one": {"upstream": %q, "fallback": %q, "canary": {"upstream": %q, "weight": %d}, "maintenance": {"on": %v}},
		  "two": {"upstream": %q}}, "tenants": {"moving": %q}, "default": "one"}`,
				stable.URL, fallback.URL, canary.URL, weight, maintenance, other.URL, target)
		}
		g := start(t, at("one", 0, false), "GATEWAY_DRAIN_DELAY=200ms", "GATEWAY_ACCESS_LOG=off")

		var failures, answered, maintained atomic.Int64
		var inMaintenance atomic.Int64 // counts changes; odd while the page may be shown
		var mayBeMaintained = func(before int64) bool { return before%2 == 1 || inMaintenance.Load() != before }
		seen := sync.Map{}
		stop := make(chan bool)
		var clients sync.WaitGroup
		for i := range 8 {
			client := unixClient(t, g.socket)
			clients.Go(func() {
				tenant, cookie := fmt.Sprintf("tenant-%d", i), ""
				if i == 0 {
					tenant = "moving"
				}
				track := ""
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					path, method, body := "/", "GET", ""
					if n%3 == 0 {
						path = "/slow"
					}
					if n%4 == 0 {
						method, body = "POST", fmt.Sprintf("%d-%d", i, n)
					}
					if n%50 == 49 {
						cookie, track = "", "" // a new session
					}
					request, _ := http.NewRequest(method, "http://demo.example"+path, strings.NewReader(body))
					request.Header.Set("X-Tenant", tenant)
					if cookie != "" {
						request.Header.Set("Cookie", cookie)
					}
					before := inMaintenance.Load()
					res, err := client.Do(request)
					if err != nil {
						failures.Add(1)
						t.Errorf("%s %s: %v", method, path, err)
						continue
					}
					data, err := io.ReadAll(res.Body)
					res.Body.Close()
					if err == nil && res.StatusCode == 503 && mayBeMaintained(before) && strings.Contains(string(data), "maintenance") {
						maintained.Add(1)
						time.Sleep(time.Millisecond)
						continue
					}
					var e echo
					if err == nil {
						err = json.Unmarshal(data, &e)
					}
					if err == nil && e.Body != body {
						err = errors.New("another's answer")
					}
					if err != nil || res.StatusCode != 200 {
						failures.Add(1)
						t.Errorf("%s %s: %d %v %.200s", method, path, res.StatusCode, err, data)
						continue
					}
					answered.Add(1)
					seen.Store(e.Name, true)
					if set := res.Header.Get("Set-Cookie"); set != "" {
						if cookie != "" {
							t.Errorf("%s was pinned anew in mid-session", tenant)
						}
						cookie, _, _ = strings.Cut(set, ";")
						track = e.Name
					} else if track == "canary" && e.Name == "stable" || track == "stable" && e.Name == "canary" {
						t.Errorf("%s flipped from %s to %s in mid-session", tenant, track, e.Name)
					}
				}
			})
		}
		pause := func() {
			t.Helper()
			want := answered.Load() + 100
			eventually(t, "requests flow", func() bool { return answered.Load() > want || inMaintenance.Load()%2 == 1 })
		}
		pause()
		g.swap(at("two", 0, false))
		pause()
		g.swap(at("two", 10, false))
		pause()
		g.swap(at("one", 100, false))
		pause()
		inMaintenance.Add(1)
		g.swap(at("one", 100, true))
		eventually(t, "the page is shown", func() bool { return maintained.Load() > 20 })
		g.swap(at("one", 100, false))
		inMaintenance.Add(1)
		pause()
		g.write("not a table")
		eventually(t, "it is rejected", func() bool { return strings.Contains(g.log.String(), "rejected") })
		pause()
		g.swap(at("one", 0, false))
		pause()
		// Restart: the next gateway takes over the socket, then the first drains.
		next := &Main{Log: g.log, Environ: g.Environ}
		if err := next.Run(); err != nil {
			t.Fatal(err)
		}
		if err := g.close(); err != nil {
			t.Error(err)
		}
		pause()
		close(stop)
		clients.Wait()
		if err := next.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"stable", "canary", "other"} {
			if _, ok := seen.Load(name); !ok {
				t.Errorf("%s never answered", name)
			}
		}
		t.Logf("%d answered, %d maintained, %d failed", answered.Load(), maintained.Load(), failures.Load())
		if failures.Load() != 0 {
			t.Errorf("%d requests failed that should have succeeded", failures.Load())
		}
	})
}
