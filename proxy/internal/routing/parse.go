package routing

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// MaxFileBytes is the maximum size of a routing file.
const MaxFileBytes = 4 << 20

// Parse parses a routing file of the given edition. The error lists every problem with the path of the value, one per line. Malformed JSON
// is reported alone.
func Parse(data []byte, edition string) (*Table, error) {
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("given %d bytes, expected at most %d", len(data), MaxFileBytes)
	}
	p := &problems{}
	value, err := decode(data, p)
	if err != nil {
		return nil, err
	}
	root := p.object("", value)
	t := &Table{Shards: map[string]*Shard{}, tenants: map[string]*Shard{}, hosts: map[string]*Shard{}, wildcards: map[string]*Shard{}}
	if t.Edition = root.text("edition"); t.Edition != edition {
		p.add("edition", strconv.Quote(t.Edition), strconv.Quote(edition)+" because of EDITION")
	}
	t.Maintenance = p.maintenance(root)
	t.Rules = p.tenantRules(root)

	health := map[string]string{}
	if shards, ok := root.get("shards"); ok {
		all := p.object("shards", shards)
		for _, name := range all.object.keys {
			if Tenant(name) != name {
				p.add(all.at(name), strconv.Quote(name), "a name of a to z, 0 to 9, - and _")
			}
			t.Shards[name] = p.shard(name, p.object(all.at(name), all.object.values[name]), health)
		}
	}
	if len(t.Shards) == 0 {
		p.add("shards", "none", "at least one")
	}
	find := func(at string, value any) *Shard {
		name, _ := value.(string)
		shard := t.Shards[name]
		if shard == nil {
			p.add(at, show(value), "the name of a shard in this file")
		}
		return shard
	}
	if hosts, ok := root.get("hosts"); ok {
		all := p.object("hosts", hosts)
		for _, name := range all.object.keys {
			shard := find(all.at(name), all.object.values[name])
			rest, wildcard := strings.CutPrefix(name, "*")
			host := strings.TrimPrefix(rest, ".")
			if !validHost(host) || wildcard && !strings.HasPrefix(rest, ".") {
				p.add(all.at(name), strconv.Quote(name), "a lowercase host without port, or *.host")
				continue
			}
			if wildcard {
				t.wildcards[rest] = shard
			} else {
				t.hosts[name] = shard
			}
		}
	}
	if tenants, ok := root.get("tenants"); ok {
		all := p.object("tenants", tenants)
		for _, name := range all.object.keys {
			if Tenant(name) != name {
				p.add(all.at(name), strconv.Quote(name), "a lowercase tenant")
			}
			t.tenants[name] = find(all.at(name), all.object.values[name])
		}
		if len(all.object.keys) > 0 && len(t.Rules) == 0 {
			p.add("tenantRules", "none", "at least one, because tenants are routed")
		}
	}
	if value, ok := root.get("default"); ok {
		t.Default = find("default", value)
	}
	root.done()
	if len(p.list) > 0 {
		return nil, errors.New(strings.Join(p.list, "\n"))
	}
	return t, nil
}

func (p *problems) maintenance(parent *fields) Maintenance {
	value, ok := parent.get("maintenance")
	if !ok {
		return Maintenance{}
	}
	f := p.object(parent.at("maintenance"), value)
	m := Maintenance{On: f.flag("on"), Message: f.text("message")}
	m.RetryAfter = time.Duration(f.number("retryAfterSeconds", 0, 7*24*3600, 0)) * time.Second
	if len(m.Message) > 2000 {
		p.add(f.at("message"), fmt.Sprintf("%d bytes", len(m.Message)), "at most 2000")
	}
	f.done()
	return m
}

func (p *problems) tenantRules(root *fields) []TenantRule {
	value, ok := root.get("tenantRules")
	if !ok {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		p.add("tenantRules", show(value), "a list")
		return nil
	}
	var rules []TenantRule
	for i, value := range list {
		at := fmt.Sprintf("tenantRules[%d]", i)
		f := p.object(at, value)
		rule := TenantRule{Header: f.text("header"), Cookie: f.text("cookie"), Path: f.text("path"), Host: f.text("host")}
		f.done()
		set := 0
		if rule.Header != "" {
			set++
			name := http.CanonicalHeaderKey(rule.Header)
			if !httpguts.ValidHeaderFieldName(name) || strings.Contains(name, "_") || strings.HasPrefix(name, "X-Lockstep-") ||
				strings.HasPrefix(name, "X-Forwarded-") || slices.Contains([]string{"Cookie", "Connection", "Host"}, name) {
				p.add(f.at("header"), strconv.Quote(rule.Header), "a request header without underscores; not X-Forwarded-* or X-Lockstep-*, which the gateway sets")
			}
			rule.Header = name
		}
		if rule.Cookie != "" {
			set++
			if !httpguts.ValidHeaderFieldName(rule.Cookie) {
				p.add(f.at("cookie"), strconv.Quote(rule.Cookie), "a cookie name")
			}
		}
		if rule.Path != "" {
			set++
			before, ok := strings.CutSuffix(rule.Path, "/{tenant}")
			if !ok || strings.ContainsAny(before, "{}?#%\\") || before != "" && (before[0] != '/' || path.Clean(before) != before) {
				p.add(f.at("path"), strconv.Quote(rule.Path), "/{tenant} after an absolute path, such as /t/{tenant}")
			}
			rule.Path = before + "/"
		}
		if rule.Host != "" {
			set++
			after, ok := strings.CutPrefix(rule.Host, "{tenant}")
			if !ok || !strings.HasPrefix(after, ".") || !validHost(after[1:]) {
				p.add(f.at("host"), strconv.Quote(rule.Host), "{tenant}. before a lowercase host")
			}
			rule.Host = after
		}
		if set != 1 {
			p.add(at, fmt.Sprintf("%d of them", set), "exactly one of header, cookie, path, host")
		}
		rules = append(rules, rule)
	}
	return rules
}

func (p *problems) shard(name string, f *fields, health map[string]string) *Shard {
	s := &Shard{Name: name, Maintenance: p.maintenance(f)}
	check := f.text("health")
	if check == "" {
		check = "/health"
	} else if u, err := url.ParseRequestURI(check); err != nil || check[0] != '/' || u.Fragment != "" || strings.HasPrefix(check, "//") {
		p.add(f.at("health"), strconv.Quote(check), "an absolute path")
	}
	read := func(f *fields, key string) Upstream {
		address := f.text(key)
		if address == "" {
			return Upstream{}
		}
		if !validUpstream(address) {
			p.add(f.at(key), strconv.Quote(address), "only http://host:port, https://host:port or unix:/absolute/path")
		}
		if other, ok := health[address]; ok && other != check {
			p.add(f.at("health"), strconv.Quote(check), fmt.Sprintf("%q, as for %s elsewhere", other, address))
		}
		health[address] = check
		return Upstream{Address: address, Health: check}
	}
	if s.Stable = read(f, "upstream"); s.Stable.Address == "" {
		p.add(f.at("upstream"), "none", "the address of the shard")
	}
	s.Fallback = read(f, "fallback")
	if value, ok := f.get("canary"); ok {
		canary := p.object(f.at("canary"), value)
		if s.Canary = read(canary, "upstream"); s.Canary.Address == "" {
			p.add(canary.at("upstream"), "none", "the address of the canary")
		}
		s.CanaryWeight = int(math.Round(canary.number("weight", 0, 100, 0) * 100))
		if _, ok := canary.object.values["weight"]; !ok {
			p.add(canary.at("weight"), "none", "the percentage of new sessions, 0 to 100")
		}
		canary.done()
	}
	for _, other := range []struct {
		key      string
		upstream Upstream
	}{{"fallback", s.Fallback}, {"canary.upstream", s.Canary}} {
		if other.upstream.Address != "" && other.upstream == s.Stable {
			p.add(f.at(other.key), strconv.Quote(other.upstream.Address), "an address other than upstream")
		}
	}
	f.done()
	return s
}

func validHost(host string) bool {
	if len(host) == 0 || len(host) > 253 {
		return false
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

func validUpstream(address string) bool {
	if socket, ok := strings.CutPrefix(address, "unix:"); ok {
		return path.IsAbs(socket) && path.Clean(socket) == socket && len(socket) <= 107 && !strings.ContainsAny(socket, "\x00")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port > 0 && port < 65536 && validHost(u.Hostname()) && u.Scheme+"://"+u.Host == address
}
