package middleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/telemetry"
	"lockstep/proxy/internal/routing"
)

// A line equals what slog would write, for any input of a client.
func TestLinesAreSlogs(t *testing.T) {
	for _, odd := range []string{"plain", "", "\"quoted\" \\ back", "\r\n{\"level\":\"ERROR\"}\r\n", "\x00\x1f\x7f", "Grüße 🙂", "\xff\xfe", "<a>&\u2028\u2029", strings.Repeat("x", 5000)} {
		for _, aborted := range []bool{false, true} {
			var ours, theirs bytes.Buffer
			r := &http.Request{Method: "GET", Host: odd, URL: &url.URL{Path: "/" + odd, RawQuery: "secret"}}
			e := &exchange.Exchange{Started: time.Now().Add(-1234567 * time.Nanosecond), ID: "id", Client: odd, Status: 502, Bytes: 7, Tenant: odd,
				Shard: &routing.Shard{Name: "one"}, Role: "stable", Upstream: odd, Problem: "upstream_unreachable", Cause: errors.New(odd)}
			finish(NewLines(&ours, "demo"), telemetry.New("demo"), false, e, r, aborted)
			attributes := []any{"edition", "demo", "request_id", "id", "client", odd, "method", "GET", "host", odd, "path", "/" + odd, "status", 502, "bytes", 7, "ms", 1.0}
			if odd != "" {
				attributes = append(attributes, "tenant", odd)
			}
			attributes = append(attributes, "shard", "one", "role", "stable")
			if odd != "" {
				attributes = append(attributes, "upstream", odd)
			}
			attributes = append(attributes, "problem", "upstream_unreachable")
			if aborted {
				attributes = append(attributes, "aborted", true)
			}
			slog.New(slog.NewJSONHandler(&theirs, nil)).Warn("request", append(attributes, "error", odd)...)
			if bytes.Count(ours.Bytes(), []byte("\n")) != 1 {
				t.Fatalf("not one line: %q", ours.Bytes())
			}
			one, other := map[string]any{}, map[string]any{}
			if err := errors.Join(json.Unmarshal(ours.Bytes(), &one), json.Unmarshal(theirs.Bytes(), &other)); err != nil {
				t.Fatal(err)
			}
			if ms := one["ms"].(float64); ms < 1.2 || ms > 10_000 {
				t.Errorf("ms %v", ms)
			}
			if at, err := time.Parse(time.RFC3339Nano, one["time"].(string)); err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("time %v %v", one["time"], err)
			}
			one["ms"], one["time"] = other["ms"], other["time"]
			if !reflect.DeepEqual(one, other) {
				t.Errorf("%s%s", &ours, &theirs)
			}
			if keys := func(b []byte) (all []string) {
				decoder := json.NewDecoder(bytes.NewReader(b))
				for {
					token, err := decoder.Token()
					if err != nil {
						return all
					}
					if text, ok := token.(string); ok {
						all = append(all, text)
					}
				}
			}; len(keys(ours.Bytes())) != len(keys(theirs.Bytes())) {
				t.Errorf("%s%s", &ours, &theirs)
			}
		}
	}
}
