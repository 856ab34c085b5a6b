// Package options reads the gateway's configuration from the environment. It reports all mistakes at once.
package options

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Edition is the edition of the shards behind this gateway.
type Edition string

// The two editions. The zero value is invalid.
const (
	Production Edition = "production"
	Demo       Edition = "demo"
)

// Options is the validated configuration. Parse creates it; the zero value is not usable.
type Options struct {
	Edition Edition
	Listen  []Listen // at least one
	Admin   string   // host:port of metrics and health
	Routes  string   // path of the routing file
	// RoutesPoll is how often the routing file is reread; never zero.
	RoutesPoll time.Duration
	// SocketMode is the file mode of Unix sockets.
	SocketMode fs.FileMode

	// Maintenance shows the maintenance page for the whole edition, regardless of the routing file.
	Maintenance bool
	// Fallback allows fallback upstreams; if false, those in the routing file are ignored.
	Fallback bool
	// Canary allows canary upstreams; if false, all sessions go to the stable ones, including pinned sessions.
	Canary bool
	// RateLimit is in requests per second and tenant; 0 means no limit.
	RateLimit float64
	// RateBurst is how many requests may arrive at once; at least 1 if RateLimit is set.
	RateBurst int
	// SignUpOpen allows requests to SignUpPaths; if false, they receive a problem page.
	SignUpOpen bool
	// SignUpPaths are clean absolute paths, which include everything below them.
	SignUpPaths []string
	// Banner is sent to the upstream in X-Lockstep-Banner, percent-encoded; if empty, the header is not sent.
	Banner string
	// ResponseHeaders are applied in order to every response, including the gateway's own pages.
	ResponseHeaders []HeaderRule

	// UpstreamAuthority verifies the certificates of https upstreams; nil means encryption without verification.
	UpstreamAuthority *x509.CertPool

	MaxHeaderBytes int   // of one request, in bytes
	MaxBodyBytes   int64 // of one request, in bytes; 0 means no limit

	HeaderTimeout     time.Duration // for a client to send its header
	BodyTimeout       time.Duration // longest pause of a client within its body
	WriteTimeout      time.Duration // for one write to a client
	IdleTimeout       time.Duration // for idle keep-alive connections of clients
	DialTimeout       time.Duration // for connecting to an upstream
	ResponseTimeout   time.Duration // from sending the request to receiving the upstream's header
	UpstreamSilence   time.Duration // longest pause of an upstream within an ordinary body
	StreamSilence     time.Duration // the same for event streams and WebSockets, in either direction
	UpstreamIdle      time.Duration // for idle connections to an upstream; must be shorter than the upstream's own idle timeout
	HealthInterval    time.Duration
	HealthTimeout     time.Duration
	DrainDelay        time.Duration // from "not ready" to closing the listeners
	DrainTimeout      time.Duration // from closing the listeners to aborting the remaining requests
	LogDebug          bool
	AccessLog         bool
	UpstreamIdleConns int // idle connections kept per upstream
}

// Listen is one address on which the gateway accepts requests.
type Listen struct {
	Network string // "tcp" or "unix"
	Address string // host:port or a path
	// Trusted means that the peer is the first hop, whose forwarding and certificate headers are trusted. Only Unix sockets
	// are: their file mode restricts who may connect, whereas any process on the machine can reach a loopback port.
	Trusted bool
}

// HeaderRule changes one response header. Action is "set" (replace), "default" (only if absent), "add" or "remove".
type HeaderRule struct {
	Action string `json:"action"`
	Name   string `json:"name"`
	Value  string `json:"value"`
}

const (
	prefix       = "GATEWAY_"
	adminDefault = "127.0.0.1:9901"
)

// Parse parses environ, which has the form of os.Environ. The error lists every problem, one per line; the options are then
// incomplete. An unknown GATEWAY_ variable is a problem too, because it is probably a typo.
func Parse(environ []string) (Options, error) {
	r := reader{values: map[string]string{}}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if name == "EDITION" || strings.HasPrefix(name, prefix) {
			r.values[name] = value
		}
	}
	o := Options{
		Edition:     Edition(r.text("EDITION", "")),
		Admin:       r.text("GATEWAY_ADMIN", adminDefault),
		Routes:      r.text("GATEWAY_ROUTES", ""),
		RoutesPoll:  r.duration("GATEWAY_ROUTES_POLL", 500*time.Millisecond, 10*time.Millisecond, time.Minute),
		SocketMode:  r.mode("GATEWAY_SOCKET_MODE", 0o660),
		Maintenance: r.flag("GATEWAY_MAINTENANCE", false),
		Fallback:    r.flag("GATEWAY_FALLBACK", true),
		Canary:      r.flag("GATEWAY_CANARY", true),
		RateLimit:   r.number("GATEWAY_RATE_LIMIT", 0, 0, 1e6),
		RateBurst:   int(r.integer("GATEWAY_RATE_BURST", 0, 0, 1e6)),
		SignUpOpen:  r.choice("GATEWAY_SIGN_UP", "closed", "open", "closed") == "open",
		Banner:      r.text("GATEWAY_BANNER", ""),

		MaxHeaderBytes:    int(r.integer("GATEWAY_MAX_HEADER_BYTES", 32<<10, 1<<10, 1<<20)),
		MaxBodyBytes:      r.integer("GATEWAY_MAX_BODY_BYTES", 10<<20, 0, 1<<40),
		HeaderTimeout:     r.timeout("GATEWAY_HEADER_TIMEOUT", 10*time.Second),
		BodyTimeout:       r.timeout("GATEWAY_BODY_TIMEOUT", 20*time.Second),
		WriteTimeout:      r.timeout("GATEWAY_WRITE_TIMEOUT", 30*time.Second),
		IdleTimeout:       r.timeout("GATEWAY_IDLE_TIMEOUT", 75*time.Second),
		DialTimeout:       r.timeout("GATEWAY_DIAL_TIMEOUT", 2*time.Second),
		ResponseTimeout:   r.timeout("GATEWAY_RESPONSE_TIMEOUT", 30*time.Second),
		UpstreamSilence:   r.timeout("GATEWAY_UPSTREAM_SILENCE", 30*time.Second),
		StreamSilence:     r.timeout("GATEWAY_STREAM_SILENCE", 10*time.Minute),
		UpstreamIdle:      r.timeout("GATEWAY_UPSTREAM_IDLE", 20*time.Second),
		HealthInterval:    r.timeout("GATEWAY_HEALTH_INTERVAL", 2*time.Second),
		HealthTimeout:     r.timeout("GATEWAY_HEALTH_TIMEOUT", time.Second),
		DrainDelay:        r.duration("GATEWAY_DRAIN_DELAY", 5*time.Second, 0, time.Hour),
		DrainTimeout:      r.timeout("GATEWAY_DRAIN_TIMEOUT", 20*time.Second),
		LogDebug:          r.choice("GATEWAY_LOG_LEVEL", "info", "info", "debug") == "debug",
		AccessLog:         r.flag("GATEWAY_ACCESS_LOG", true),
		UpstreamIdleConns: int(r.integer("GATEWAY_UPSTREAM_IDLE_CONNECTIONS", 128, 1, 1e5)),
	}
	if o.Edition != Production && o.Edition != Demo {
		r.problem("EDITION", string(o.Edition), "production or demo")
	}
	for _, text := range strings.Split(r.text("GATEWAY_LISTEN", "127.0.0.1:8080"), ",") {
		listen, err := parseListen(strings.TrimSpace(text))
		if err != nil {
			r.problem("GATEWAY_LISTEN", text, err.Error())
			continue
		}
		if slices.Contains(o.Listen, listen) && !strings.HasSuffix(listen.Address, ":0") {
			r.problem("GATEWAY_LISTEN", text, "each address once")
		}
		o.Listen = append(o.Listen, listen)
	}
	if _, err := netip.ParseAddrPort(o.Admin); err != nil {
		r.problem("GATEWAY_ADMIN", o.Admin, "an IP address and port such as 127.0.0.1:9901")
	}
	if o.Routes == "" {
		r.problem("GATEWAY_ROUTES", "", "the path of the routing file")
	}
	if o.RateLimit > 0 && o.RateBurst == 0 {
		o.RateBurst = max(1, int(2*o.RateLimit))
	}
	if o.RateLimit == 0 && o.RateBurst > 0 {
		r.problem("GATEWAY_RATE_BURST", strconv.Itoa(o.RateBurst), "nothing while GATEWAY_RATE_LIMIT is 0")
	}
	for _, path := range strings.Split(r.text("GATEWAY_SIGN_UP_PATHS", "/signup"), ",") {
		path = strings.TrimSpace(path)
		if len(path) < 2 || path[0] != '/' || filepath.Clean(path) != path {
			r.problem("GATEWAY_SIGN_UP_PATHS", path, "absolute paths such as /signup, separated by commas")
			continue
		}
		o.SignUpPaths = append(o.SignUpPaths, strings.ToLower(path))
	}
	if len(o.Banner) > 500 || strings.ContainsFunc(o.Banner, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd }) {
		r.problem("GATEWAY_BANNER", o.Banner, "one line of at most 500 bytes of UTF-8")
	}
	if path := r.text("GATEWAY_UPSTREAM_AUTHORITY", ""); path != "" {
		o.UpstreamAuthority = x509.NewCertPool()
		if data, err := os.ReadFile(path); err != nil || !o.UpstreamAuthority.AppendCertsFromPEM(data) {
			r.problem("GATEWAY_UPSTREAM_AUTHORITY", path, "the path of a readable file of certificates in PEM")
		}
	}
	if text := r.text("GATEWAY_RESPONSE_HEADERS", ""); text != "" {
		o.ResponseHeaders = r.headerRules("GATEWAY_RESPONSE_HEADERS", text)
	}
	for name := range r.values {
		if !slices.Contains(r.known, name) {
			r.problem(name, r.values[name], "no such variable")
		}
	}
	if len(r.problems) > 0 {
		slices.Sort(r.problems)
		return o, errors.New(strings.Join(r.problems, "\n"))
	}
	return o, nil
}

// AdminOf returns the host:port in GATEWAY_ADMIN without parsing the rest, for querying another process.
func AdminOf(environ []string) string {
	admin := adminDefault
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "GATEWAY_ADMIN="); ok && value != "" {
			admin = value
		}
	}
	return admin
}

func parseListen(text string) (Listen, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		// The kernel's limit is 108 bytes, and the gateway first binds a longer name, which it then renames.
		if path == "" || len(path) > 90 {
			return Listen{}, errors.New("unix: with a path of at most 90 bytes")
		}
		return Listen{Network: "unix", Address: filepath.Clean(path), Trusted: true}, nil
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil || !address.Addr().IsLoopback() {
		return Listen{}, errors.New("unix:/path or a loopback address such as 127.0.0.1:8080")
	}
	return Listen{Network: "tcp", Address: address.String()}, nil
}

// unsettable lists response headers that belong to the connection or would change the meaning of the body.
var unsettable = []string{"Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Keep-Alive", "Te",
	"Content-Encoding", "X-Request-Id"}

func (r *reader) headerRules(name, text string) []HeaderRule {
	var rules []HeaderRule
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		r.problem(name, text, `a JSON list such as [{"action":"set","name":"X-Robots-Tag","value":"noindex"}]: `+err.Error())
		return nil
	}
	for i := range rules {
		rule := &rules[i]
		at := fmt.Sprintf("%s[%d]", name, i)
		if !slices.Contains([]string{"set", "default", "add", "remove"}, rule.Action) {
			r.problem(at+".action", rule.Action, "set, default, add or remove")
		}
		rule.Name = http.CanonicalHeaderKey(rule.Name)
		if !httpguts.ValidHeaderFieldName(rule.Name) || slices.Contains(unsettable, rule.Name) {
			r.problem(at+".name", rule.Name, "a header name that rules may change")
		}
		if !httpguts.ValidHeaderFieldValue(rule.Value) {
			r.problem(at+".value", rule.Value, "a header value without control characters")
		}
		if rule.Action == "remove" && rule.Value != "" {
			r.problem(at+".value", rule.Value, "no value with remove")
		}
	}
	return rules
}

type reader struct {
	values   map[string]string
	known    []string
	problems []string
}

func (r *reader) problem(name, given, expected string) {
	r.problems = append(r.problems, fmt.Sprintf("%s: given %q, expected %s", name, given, expected))
}

func (r *reader) text(name, absent string) string {
	r.known = append(r.known, name)
	if value, ok := r.values[name]; ok && value != "" {
		return value
	}
	return absent
}

func (r *reader) choice(name, absent string, choices ...string) string {
	value := r.text(name, absent)
	if !slices.Contains(choices, value) {
		r.problem(name, value, strings.Join(choices, " or "))
	}
	return value
}

func (r *reader) flag(name string, absent bool) bool {
	text := "off"
	if absent {
		text = "on"
	}
	return r.choice(name, text, "on", "off") == "on"
}

func (r *reader) number(name string, absent, least, most float64) float64 {
	parse := func(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
	return within(r, name, absent, least, most, parse, "a number from %g to %g")
}

func (r *reader) integer(name string, absent, least, most int64) int64 {
	parse := func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
	return within(r, name, absent, least, most, parse, "a whole number from %d to %d")
}

func (r *reader) timeout(name string, absent time.Duration) time.Duration {
	return r.duration(name, absent, time.Millisecond, 24*time.Hour)
}

func (r *reader) duration(name string, absent, least, most time.Duration) time.Duration {
	return within(r, name, absent, least, most, time.ParseDuration, "a duration from %v to %v, such as 500ms or 10s")
}

// within parses a value from least to most. expected has verbs for both.
func within[T cmp.Ordered](r *reader, name string, absent, least, most T, parse func(string) (T, error), expected string) T {
	text := r.text(name, "")
	if text == "" {
		return absent
	}
	value, err := parse(text)
	if err != nil || !(value >= least && value <= most) { // also false for NaN
		r.problem(name, text, fmt.Sprintf(expected, least, most))
	}
	return value
}

func (r *reader) mode(name string, absent fs.FileMode) fs.FileMode {
	text := r.text(name, "")
	if text == "" {
		return absent
	}
	value, err := strconv.ParseUint(text, 8, 32)
	if err != nil || value > 0o777 || value&0o600 != 0o600 {
		r.problem(name, text, "an octal file mode such as 0660, readable and writable by its owner")
	}
	return fs.FileMode(value)
}
