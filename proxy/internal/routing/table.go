// Package routing decides which shard serves a request. It reads the routes from a file that may be replaced at any time.
package routing

import (
	"net/http"
	"strings"
	"time"
)

// Table is a valid routing file. It is immutable, so each request keeps the table it started with.
// The zero value routes nothing.
type Table struct {
	Edition     string
	Maintenance Maintenance // of the whole edition
	Rules       []TenantRule
	Shards      map[string]*Shard
	Default     *Shard // nil: requests that match nothing else are answered with 404

	tenants   map[string]*Shard
	hosts     map[string]*Shard // lowercase, without port
	wildcards map[string]*Shard // ".example.com" means *.example.com
}

// Maintenance is a switch with the message of the maintenance page. The zero value is off.
type Maintenance struct {
	On         bool
	Message    string        // plain text; empty means the default message
	RetryAfter time.Duration // whole seconds; 0 means no Retry-After header
}

// Shard is one application with its upstreams.
type Shard struct {
	Name     string
	Stable   Upstream
	Canary   Upstream // zero: no canary
	Fallback Upstream // zero: no fallback
	// CanaryWeight is the share of new sessions that go to Canary, in hundredths of a percent: 0 to 10000.
	CanaryWeight int
	Maintenance  Maintenance
}

// Upstream is the address of an application. It is comparable; the zero value means none.
type Upstream struct {
	Address string // http://host:port, https://host:port or unix:/path
	Health  string // absolute path; 200 to 299 means healthy
}

// TenantRule is one way to determine a request's tenant. Exactly one field is set.
type TenantRule struct {
	Header string // canonical name; the value is the tenant
	Cookie string // name; the value is the tenant
	// Path is the prefix before the tenant, "/t/" for /t/{tenant}.
	Path string
	// Host is the suffix after the tenant, ".demo.example" for {tenant}.demo.example.
	Host string
}

// Upstreams returns each upstream of the table once, in no particular order.
func (t *Table) Upstreams() []Upstream {
	seen := map[Upstream]bool{{}: true}
	var all []Upstream
	for _, shard := range t.Shards {
		for _, u := range []Upstream{shard.Stable, shard.Canary, shard.Fallback} {
			if !seen[u] {
				seen[u] = true
				all = append(all, u)
			}
		}
	}
	return all
}

// Route returns the request's tenant ("" if no rule determines one) and its shard (nil if there is no route). The shard is the tenant's own
// if it has one, otherwise that of the exact host, of the longest matching wildcard, or Default.
func (t *Table) Route(r *http.Request) (tenant string, shard *Shard) {
	host := Hostname(r.Host)
	for i := range t.Rules {
		if tenant = t.Rules[i].tenant(r, host); tenant != "" {
			break
		}
	}
	if tenant != "" {
		if shard := t.tenants[tenant]; shard != nil {
			return tenant, shard
		}
	}
	if shard := t.hosts[host]; shard != nil {
		return tenant, shard
	}
	if len(t.wildcards) > 0 {
		for rest := host; ; {
			dot := strings.IndexByte(rest, '.')
			if dot < 0 {
				break
			}
			if shard := t.wildcards[rest[dot:]]; shard != nil {
				return tenant, shard
			}
			rest = rest[dot+1:]
		}
	}
	return tenant, t.Default
}

func (rule *TenantRule) tenant(r *http.Request, host string) string {
	var text string
	switch {
	case rule.Header != "":
		if values := r.Header[rule.Header]; len(values) == 1 {
			text = values[0]
		}
	case rule.Cookie != "":
		// Two cookies of one name come from different paths or domains. It is unknown which one the application uses.
		if cookies := r.CookiesNamed(rule.Cookie); len(cookies) == 1 {
			text = cookies[0].Value
		}
	case rule.Path != "":
		if rest, ok := strings.CutPrefix(r.URL.Path, rule.Path); ok {
			text, _, _ = strings.Cut(rest, "/")
		}
	case rule.Host != "":
		text, _ = strings.CutSuffix(host, rule.Host)
		if len(text) == len(host) {
			text = ""
		}
	}
	return Tenant(text)
}

// Tenant returns text in lowercase if it is a valid tenant name: 1 to 63 of a to z, 0 to 9, - and _, not starting with
// - or _. Otherwise it returns "".
func Tenant(text string) string {
	if len(text) == 0 || len(text) > 63 {
		return ""
	}
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return ""
		}
	}
	return strings.ToLower(text)
}

// Hostname returns host in lowercase, without its port and trailing dot.
func Hostname(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && strings.IndexByte(host[colon:], ']') < 0 {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// OnCanary reports whether a new session with this key goes to the canary. The result depends only on key, shard and weight, so
// all gateways agree, and a key that is included at one weight is included at every higher one.
func (s *Shard) OnCanary(key string) bool {
	if s.Canary == (Upstream{}) {
		return false
	}
	// FNV-1a, then the finalizer of MurmurHash3, because FNV alone distributes short keys unevenly over a modulus.
	hash := uint64(14695981039346656037)
	for _, text := range [2]string{s.Name, key} {
		for i := range len(text) {
			hash = (hash ^ uint64(text[i])) * 1099511628211
		}
		hash = (hash ^ '/') * 1099511628211
	}
	hash ^= hash >> 33
	hash *= 0xff51afd7ed558ccd
	hash ^= hash >> 33
	hash *= 0xc4ceb9fe1a85ec53
	hash ^= hash >> 33
	return int(hash%10000) < s.CanaryWeight
}
