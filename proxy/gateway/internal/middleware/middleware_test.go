package middleware

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

func TestClean(t *testing.T) {
	for _, test := range []struct {
		name, header, value string
		trusted             bool
		keeps, refused      bool
	}{
		{"fact, trusted", "X-Client-Cert-Serial", "1", true, true, false},
		{"fact, not trusted", "X-Client-Cert-Serial", "1", false, false, false},
		{"underscores", "X-Client-Cert_serial", "1", true, false, false},
		{"ordinary", "Accept-Language", "ja", false, true, false},
		{"hop by hop", "Connection", "X-Client-Cert-Serial", true, false, false},
		{"own", "X-Lockstep-Shard", "1", true, false, false},
		{"bad address", "X-Forwarded-For", "192.0.2.1, unknown", true, false, true},
		{"bad address that nobody believes", "X-Forwarded-For", "unknown", false, false, false},
		{"bad name", "A b", "1", true, false, true},
		{"httpoxy", "Proxy", "evil", true, false, false},
		{"upgrade without connection", "Upgrade", "websocket", true, false, false},
	} {
		h := http.Header{test.header: {test.value}}
		_, reason := Clean(h, test.trusted)
		if (reason != "") != test.refused || !test.refused && (len(h[test.header]) > 0) != test.keeps {
			t.Errorf("%s: %q %v", test.name, reason, h)
		}
	}
	for given, want := range map[string]string{"192.0.2.1": "192.0.2.1", "evil, 192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "fe80::1%eth0": "fe80::1"} {
		facts, reason := Clean(http.Header{"X-Forwarded-For": {given}, "X-Forwarded-Proto": {"https"}}, true)
		if reason != "" || facts.Client.String() != want || facts.Scheme != "https" {
			t.Errorf("%s: %+v %s", given, facts, reason)
		}
	}
}

// Inventing tenants may use up the shared overflow limit, but not the gateway's memory.
func TestLimitersAreBounded(t *testing.T) {
	l := &limiters{limit: rate.Limit(1), burst: 2, all: map[string]*rate.Limiter{}, overflow: rate.NewLimiter(1, 2), gauge: prometheus.NewGauge(prometheus.GaugeOpts{Name: "x"})}
	now := time.Now()
	busy := l.of("busy", now)
	for i := range MaxLimiters + 100 {
		l.of(fmt.Sprint(i), now).AllowN(now, 2)
	}
	if len(l.all) != MaxLimiters || l.of("one more", now) != l.overflow {
		t.Errorf("%d limiters", len(l.all))
	}
	now = now.Add(time.Hour)
	busy.AllowN(now, 2)
	if l.of("one more", now) == l.overflow || len(l.all) != 2 || l.of("busy", now) != busy {
		t.Errorf("%d limiters after an hour", len(l.all))
	}
}

func TestBelow(t *testing.T) {
	for path, want := range map[string]bool{"/signup": true, "/SIGNUP/": true, "/signup/form": true, "//signup": true, "/signup;a=b": true, "/;x/signup": true,
		"/signups": false, "/a/signup": false, "/": false} {
		if below(path, []string{"/signup"}) != want {
			t.Errorf("%s: expected %v", path, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("X-Client-Cert-Subject: CN=a\nx-forwarded-for: 1.2.3.4\nConnection: upgrade, x-client-cert-subject\nUpgrade: websocket", true)
	f.Add("x_client_cert_subject: CN=a\nX-Lockstep-Tenant: b\nX-Request-Id: \xff\nUpgrade: h2c", false)
	f.Fuzz(func(t *testing.T, text string, trusted bool) {
		h := http.Header{}
		for line := range strings.SplitSeq(text, "\n") {
			name, value, _ := strings.Cut(line, ":")
			name = textproto.CanonicalMIMEHeaderKey(name)
			h[name] = append(h[name], strings.TrimSpace(value))
		}
		facts, reason := Clean(h, trusted)
		if reason != "" {
			return
		}
		if !trusted && facts != (Facts{}) {
			t.Fatalf("believed %+v", facts)
		}
		for name, values := range h {
			lower := strings.ReplaceAll(strings.ToLower(name), "_", "-")
			switch {
			case name != textproto.CanonicalMIMEHeaderKey(name), strings.Contains(name, "_"),
				strings.HasPrefix(lower, "x-forwarded-"), lower == "forwarded", strings.HasPrefix(lower, "x-lockstep-"), lower == "x-request-id",
				strings.HasPrefix(lower, "x-client-cert-") && (!trusted || len(values) != 1),
				lower == "connection" && strings.Join(values, ",") != "Upgrade", lower == "upgrade" && strings.Join(values, ",") != "websocket":
				t.Fatalf("%q: %q came through", name, values)
			}
		}
		again := h.Clone()
		if _, reason := Clean(again, trusted); reason != "" || len(again) != len(h) {
			t.Fatalf("cleaning twice differs: %v, then %v (%s)", h, again, reason)
		}
	})
}
