package options

import (
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	o, err := Parse([]string{"EDITION=demo", "GATEWAY_ROUTES=/etc/routes.json", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	if o.SignUpOpen || o.Maintenance || !o.Fallback || !o.Canary || o.RateLimit != 0 {
		t.Errorf("unsafe defaults: %+v", o)
	}
	if o.Listen[0].Trusted || o.Listen[0].Network != "tcp" {
		t.Errorf("a loopback port must not be trusted: %+v", o.Listen)
	}
	for name, value := range map[string]time.Duration{"header": o.HeaderTimeout, "body": o.BodyTimeout, "write": o.WriteTimeout,
		"idle": o.IdleTimeout, "dial": o.DialTimeout, "response": o.ResponseTimeout, "silence": o.UpstreamSilence,
		"stream": o.StreamSilence, "health": o.HealthTimeout, "drain": o.DrainTimeout} {
		if value <= 0 {
			t.Errorf("%s timeout is %v", name, value)
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := Parse([]string{
		"EDITION=staging", "GATEWAY_LISTEN=0.0.0.0:80,unix:,127.0.0.1:8080", "GATEWAY_ADMIN=everywhere",
		"GATEWAY_MAINTENANCE=perhaps", "GATEWAY_RATE_LIMIT=-1", "GATEWAY_RATE_LIMT=5", "GATEWAY_SIGN_UP=ajar",
		"GATEWAY_SIGN_UP_PATHS=signup", "GATEWAY_BANNER=two\nlines", "GATEWAY_HEADER_TIMEOUT=0s", "GATEWAY_BODY_TIMEOUT=10",
		"GATEWAY_SOCKET_MODE=999", "GATEWAY_MAX_BODY_BYTES=many", "GATEWAY_UPSTREAM_AUTHORITY=/nowhere",
		`GATEWAY_RESPONSE_HEADERS=[{"action":"twist","name":"Content-Length","value":"a\nb"}]`,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"EDITION", "0.0.0.0:80", `"unix:"`, "GATEWAY_ADMIN", "GATEWAY_MAINTENANCE", "GATEWAY_RATE_LIMIT:",
		"GATEWAY_RATE_LIMT: ", "GATEWAY_SIGN_UP:", "GATEWAY_SIGN_UP_PATHS", "GATEWAY_BANNER", "GATEWAY_HEADER_TIMEOUT", "GATEWAY_BODY_TIMEOUT",
		"GATEWAY_SOCKET_MODE", "GATEWAY_MAX_BODY_BYTES", "GATEWAY_UPSTREAM_AUTHORITY", "GATEWAY_ROUTES", "[0].action", "[0].name", "[0].value"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in:\n%v", want, err)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 19 {
		t.Errorf("%d problems told, 19 made:\n%v", lines, err)
	}
}

func TestOneProblem(t *testing.T) {
	for _, entry := range []string{"GATEWAY_RATE_LIMIT=NaN", "GATEWAY_RATE_BURST=3", "GATEWAY_LISTEN=127.0.0.1:1,127.0.0.1:1",
		"GATEWAY_RESPONSE_HEADERS={}", `GATEWAY_RESPONSE_HEADERS=[{"acton":"set"}]`,
		"GATEWAY_BANNER=\xff", "GATEWAY_LISTEN=unix:/" + strings.Repeat("x", 100), "GATEWAY_SIGN_UP_PATHS=/", "GATEWAY_CANARY=true"} {
		_, err := Parse([]string{"EDITION=demo", "GATEWAY_ROUTES=r", entry})
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

func TestFlags(t *testing.T) {
	o, err := Parse([]string{"EDITION=production", "GATEWAY_ROUTES=r", "GATEWAY_LISTEN=unix:/run/g.sock", "GATEWAY_MAINTENANCE=on",
		"GATEWAY_FALLBACK=off", "GATEWAY_CANARY=off", "GATEWAY_RATE_LIMIT=2.5", "GATEWAY_SIGN_UP=open", "GATEWAY_SIGN_UP_PATHS=/Signup, /join",
		"GATEWAY_BANNER=本物のデータを入れないで", `GATEWAY_RESPONSE_HEADERS=[{"action":"remove","name":"server"}]`})
	if err != nil {
		t.Fatal(err)
	}
	if !o.Maintenance || o.Fallback || o.Canary || o.RateBurst != 5 || !o.SignUpOpen || o.SignUpPaths[1] != "/join" ||
		o.ResponseHeaders[0].Name != "Server" || !o.Listen[0].Trusted {
		t.Errorf("%+v", o)
	}
}
