package routing

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const whole = `{
  "edition": "demo",
  "maintenance": {"on": false, "message": "Back soon", "retryAfterSeconds": 60},
  "tenantRules": [{"header": "x-client-cert-organization"}, {"cookie": "tenant"}, {"path": "/t/{tenant}"}, {"host": "{tenant}.demo.example"}],
  "shards": {
    "demo-1": {"upstream": "http://127.0.0.1:9001", "fallback": "http://127.0.0.1:9009", "health": "/health?deep=0",
               "canary": {"upstream": "unix:/run/canary.sock", "weight": 12.5}},
    "demo-2": {"upstream": "http://[::1]:9002", "maintenance": {"on": true}}
  },
  "hosts": {"demo.example": "demo-1", "*.demo.example": "demo-1", "*.two.demo.example": "demo-2"},
  "tenants": {"acme": "demo-2"},
  "default": "demo-1"
}`

func TestWholeFile(t *testing.T) {
	table, err := Parse([]byte(whole), "demo")
	if err != nil {
		t.Fatal(err)
	}
	one := table.Shards["demo-1"]
	if one.CanaryWeight != 1250 || one.Fallback.Health != "/health?deep=0" || len(table.Upstreams()) != 4 || !table.Shards["demo-2"].Maintenance.On {
		t.Errorf("%+v", one)
	}
}

func TestRoute(t *testing.T) {
	table, err := Parse([]byte(strings.Replace(whole, `"default": "demo-1"`, `"default": "demo-2"`, 1)), "demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, host, path, header, cookie string
		tenant, shard                    string
	}{
		{name: "exact host", host: "demo.example", shard: "demo-1"},
		{name: "port, case and closing dot", host: "DEMO.example.:8443", shard: "demo-1"},
		{name: "wildcard, tenant of the host", host: "foo.demo.example", tenant: "foo", shard: "demo-1"},
		{name: "longest wildcard", host: "a.two.demo.example", shard: "demo-2"},
		{name: "tenant's own shard before the host", host: "acme.demo.example", tenant: "acme", shard: "demo-2"},
		{name: "header", host: "demo.example", header: "ACME", tenant: "acme", shard: "demo-2"},
		{name: "cookie", host: "demo.example", cookie: "tenant=acme", tenant: "acme", shard: "demo-2"},
		{name: "header before cookie", host: "demo.example", header: "x", cookie: "tenant=acme", tenant: "x", shard: "demo-1"},
		{name: "two cookies tell nothing", host: "demo.example", cookie: "tenant=acme; tenant=b", shard: "demo-1"},
		{name: "path", host: "demo.example", path: "/t/acme/patients", tenant: "acme", shard: "demo-2"},
		{name: "path without tenant", host: "demo.example", path: "/t/", shard: "demo-1"},
		{name: "not a tenant", host: "demo.example", header: "../../etc", shard: "demo-1"},
		{name: "default", host: "other.example", shard: "demo-2"},
		{name: "no host", host: "", shard: "demo-2"},
		{name: "IPv6", host: "[::1]:80", shard: "demo-2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://x"+test.path+"/", nil)
			r.Host = test.host
			if test.header != "" {
				r.Header.Set("X-Client-Cert-Organization", test.header)
			}
			if test.cookie != "" {
				r.Header.Set("Cookie", test.cookie)
			}
			tenant, shard := table.Route(r)
			if tenant != test.tenant || shard == nil || shard.Name != test.shard {
				t.Errorf("tenant %q, shard %+v", tenant, shard)
			}
		})
	}
	table.Default = nil
	if _, shard := table.Route(&http.Request{Host: "other.example", URL: httptest.NewRequest("GET", "/", nil).URL}); shard != nil {
		t.Errorf("routed to %s without a default", shard.Name)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := Parse([]byte(`{
	  "edition": "production", "maintenence": {}, "maintenance": {"on": "yes", "retryAfterSeconds": -1},
	  "tenantRules": [{"header": "X-Lockstep-Tenant"}, {}, {"path": "t/{tenant}"}, {"host": "{tenant}"}, {"cookie": "a b"}, 7],
	  "shards": {
	    "Demo": {"upstream": "http://127.0.0.1"},
	    "a": {"upstream": "http://h:1/path", "canary": {"upstream": "http://h:2", "weight": 101}},
	    "b": {"upstream": "http://h:3", "upstream": "http://h:4", "fallback": "http://h:3", "health": "health"},
	    "c": {"canary": {}}
	  },
	  "hosts": {"UPPER": "a", "*x.y": "a", "ok.example": "nowhere"},
	  "tenants": {"a b": "a", "t": 5},
	  "default": "nobody"
	}`), "demo")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"edition:", "maintenence:", "maintenance.on:", "maintenance.retryAfterSeconds:", "tenantRules[0].header", "tenantRules[1]:",
		"tenantRules[2].path", "tenantRules[3].host", "tenantRules[4].cookie", "tenantRules[5]:", "shards.Demo:", "shards.Demo.upstream", "shards.a.upstream",
		"shards.a.canary.weight", "shards.b.upstream: given twice", "shards.b.fallback", "shards.b.health", "shards.c.upstream",
		"shards.c.canary.upstream", "shards.c.canary.weight", "hosts.UPPER", "hosts.*x.y", "hosts.ok.example", "tenants.a b", "tenants.t", "default:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in:\n%v", want, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut": `{"edition": "demo"`, "trailing": `{} {}`, "list": `[]`, "null": `null`, "deep": strings.Repeat("[", 100),
		"no shards": `{"edition": "demo"}`, "huge": strings.Repeat(" ", MaxFileBytes+1),
		"control in a host": `{"edition":"demo","shards":{"a":{"upstream":"http://h:1"}},"hosts":{"a\nb":"a"}}`,
		"user in upstream":  `{"edition":"demo","shards":{"a":{"upstream":"http://u:p@h:1"}}}`,
		"health differs":    `{"edition":"demo","shards":{"a":{"upstream":"http://h:1","health":"/a"},"b":{"upstream":"http://h:1"}}}`,
	} {
		if _, err := Parse([]byte(text), "demo"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCanaryWeight(t *testing.T) {
	shard := &Shard{Name: "demo-1", Canary: Upstream{Address: "http://h:1"}}
	in := map[string]bool{}
	for _, weight := range []int{0, 1, 100, 1000, 5000, 9999, 10000} {
		shard.CanaryWeight = weight
		count := 0
		for i := range 20000 {
			key := fmt.Sprintf("tenant-%d", i)
			on := shard.OnCanary(key)
			if in[key] && !on {
				t.Fatalf("%s left the canary when the weight rose to %d", key, weight)
			}
			in[key] = on
			if on {
				count++
			}
		}
		if part := float64(count) / 20000; math.Abs(part-float64(weight)/10000) > 0.01 {
			t.Errorf("weight %d: %.4f of the tenants", weight, part)
		}
	}
}

func TestWatchKeepsTheOldTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "routes.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(whole)
	file, err := Open(path, "demo")
	if err != nil {
		t.Fatal(err)
	}
	var reports []error
	prepared := 0
	look := func() {
		file.poll(func(*Table) { prepared++ }, func(err error) { reports = append(reports, err) })
	}
	first := file.Table()
	look()
	write(`{"edition": "demo", "shards": {}, "default": "x"}`)
	look()
	look()
	os.Remove(path)
	look()
	look()
	write("")
	look()
	if len(reports) != 3 || prepared != 0 || file.Table() != first {
		t.Fatalf("%d reports (3 expected), %d prepared: %v", len(reports), prepared, reports)
	}
	if text := reports[0].Error(); !strings.Contains(text, "shards") || !strings.Contains(text, "default") {
		t.Errorf("not every problem: %s", text)
	}
	if !errors.Is(reports[1], os.ErrNotExist) {
		t.Errorf("%v", reports[1])
	}
	write(strings.Replace(whole, "12.5", "50", 1))
	look()
	if len(reports) != 4 || reports[3] != nil || prepared != 1 || file.Table().Shards["demo-1"].CanaryWeight != 5000 {
		t.Errorf("not in force: %v", reports)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none"), "demo"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole), "demo.example", "/t/acme/x")
	f.Add([]byte(`{"edition":"demo","shards":{"a":{"upstream":"http://h:1"}},"default":"a"}`), "", "/")
	f.Add([]byte(`{"edition":"demo","shards":{"a":{"upstream":"http://h:1","upstream":1}},"hosts":{"*.":"a"}}`), "a..b:", "//")
	f.Fuzz(func(t *testing.T, data []byte, host, path string) {
		table, err := Parse(data, "demo")
		if (err == nil) != (table != nil) {
			t.Fatal("neither a table nor an error")
		}
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without a word")
			}
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.URL.Path = host, path
		tenant, shard := table.Route(r)
		if tenant != Tenant(tenant) {
			t.Fatalf("tenant %q", tenant)
		}
		if shard != nil && (table.Shards[shard.Name] != shard || !validUpstream(shard.Stable.Address)) {
			t.Fatalf("shard %+v is not of the table", shard)
		}
		for _, shard := range table.Shards {
			if shard.CanaryWeight < 0 || shard.CanaryWeight > 10000 {
				t.Fatalf("weight %d", shard.CanaryWeight)
			}
		}
	})
}
