// Package upstream sends requests to the applications behind the gateway. It manages connections and health checks, and chooses between a
// shard's upstreams.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/options"
	"lockstep/proxy/gateway/internal/telemetry"
	"lockstep/proxy/internal/routing"
)

// Pool keeps one transport and one health check for each upstream of the table. It is an http.RoundTripper for
// requests with a routed exchange.
type Pool struct {
	options options.Options
	log     *slog.Logger
	metrics *telemetry.Metrics

	mutex   sync.Mutex // guards changes; readers load members
	members atomic.Pointer[map[routing.Upstream]*member]
	ctx     context.Context
	stop    context.CancelFunc
	probes  sync.WaitGroup
}

type member struct {
	upstream  routing.Upstream
	scheme    string
	host      string
	client    *client         // sends the requests that Takes accepts
	transport *http.Transport // sends all others
	down      atomic.Bool     // upstreams that are not yet checked count as healthy
	failed    int             // consecutive failed checks; used only by the probing goroutine
	stop      context.CancelFunc
}

// maxHeader is the maximum size of a response's header.
const maxHeader = 64 << 10

// New returns an empty pool. Update adds upstreams, and Close stops the health checks.
func New(o options.Options, log *slog.Logger, metrics *telemetry.Metrics) *Pool {
	p := &Pool{options: o, log: log, metrics: metrics}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.members.Store(&map[routing.Upstream]*member{})
	return p
}

// Update replaces the pool's upstreams with those of the table. Upstreams that remain keep their connections and health. Running requests
// to removed upstreams are not interrupted.
func (p *Pool) Update(table *routing.Table) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	old := *p.members.Load()
	next := map[routing.Upstream]*member{}
	for _, u := range table.Upstreams() {
		if m := old[u]; m != nil {
			next[u] = m
		} else {
			next[u] = p.start(u)
		}
	}
	p.members.Store(&next)
	for u, m := range old {
		if next[u] == nil {
			m.stop()
			m.closeIdle()
			p.metrics.Health.DeleteLabelValues(u.Address)
		}
	}
}

// Close stops the health checks and closes idle connections.
func (p *Pool) Close() {
	p.stop()
	p.probes.Wait()
	for _, m := range *p.members.Load() {
		m.closeIdle()
	}
}

func (p *Pool) start(u routing.Upstream) *member {
	dialer := &net.Dialer{Timeout: p.options.DialTimeout, KeepAlive: 15 * time.Second}
	one := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialSocket(ctx, dialer, network, address)
		if err != nil {
			return nil, err // not a nil *socket in a non-nil interface
		}
		return conn, nil
	}
	dial := (&addresses{lookup: net.DefaultResolver.LookupHost, dial: one, timeout: p.options.DialTimeout}).DialContext
	dialTLS := p.dialTLS(dial)
	if path, ok := strings.CutPrefix(u.Address, "unix:"); ok {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return one(ctx, "unix", path) }
	}
	m := &member{upstream: u}
	m.transport = &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dialTLS,
		Protocols:              new(http.Protocols),
		MaxIdleConns:           p.options.UpstreamIdleConns,
		MaxIdleConnsPerHost:    p.options.UpstreamIdleConns,
		IdleConnTimeout:        p.options.UpstreamIdle,
		ResponseHeaderTimeout:  p.options.ResponseTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // the client's Accept-Encoding decides
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
	}
	m.transport.Protocols.SetHTTP1(true)
	m.scheme, m.host = base(u)
	m.client = &client{limit: p.options.UpstreamIdleConns, age: p.options.UpstreamIdle, header: p.options.ResponseTimeout, headerBytes: maxHeader}
	m.client.dial = func(ctx context.Context) (net.Conn, error) {
		if m.scheme == "https" {
			return dialTLS(ctx, "tcp", withPort(m.host, "443"))
		}
		return dial(ctx, "tcp", withPort(m.host, "80"))
	}
	ctx, stop := context.WithCancel(p.ctx)
	m.stop = stop
	p.metrics.Health.WithLabelValues(u.Address).Set(1)
	p.probes.Go(func() { p.probe(ctx, m) })
	return m
}

// join adds an upstream for a request that still uses an older table. The upstream stays until the next Update.
func (p *Pool) join(u routing.Upstream) *member {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	old := *p.members.Load()
	if m := old[u]; m != nil {
		return m
	}
	next := maps.Clone(old)
	next[u] = p.start(u)
	p.members.Store(&next)
	return next[u]
}

func base(u routing.Upstream) (scheme, host string) {
	if strings.HasPrefix(u.Address, "unix:") {
		return "http", "unix"
	}
	scheme, host, _ = strings.Cut(u.Address, "://")
	return scheme, host
}

func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// closeIdle closes idle connections.
func (m *member) closeIdle() {
	m.client.CloseIdleConnections()
	m.transport.CloseIdleConnections()
}

// An upstream is down after this many consecutive failed checks, and up after one successful check.
const failuresToDown = 2

func (p *Pool) probe(ctx context.Context, m *member) {
	ticker := time.NewTicker(p.options.HealthInterval)
	defer ticker.Stop()
	for {
		err := p.check(ctx, m)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			m.failed = 0
			p.mark(m, false, nil)
		} else if m.failed++; m.failed >= failuresToDown {
			p.mark(m, true, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *Pool) mark(m *member, down bool, why error) {
	if m.down.Swap(down) == down {
		return
	}
	if down {
		p.metrics.Health.WithLabelValues(m.upstream.Address).Set(0)
		p.log.Warn("upstream is down", "upstream", m.upstream.Address, "error", why)
	} else {
		p.metrics.Health.WithLabelValues(m.upstream.Address).Set(1)
		p.log.Info("upstream is up", "upstream", m.upstream.Address)
	}
}

func (p *Pool) check(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, p.options.HealthTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.scheme+"://"+m.host+m.upstream.Health, nil)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	r.Header.Set("User-Agent", "lockstep-gateway-health")
	res, err := m.client.roundTrip(ctx, r, observer{silence: p.silence})
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be reused
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("health check: status %d", res.StatusCode)
	}
	return nil
}

type candidate struct {
	role   string
	member *member
}

// candidates returns a shard's upstreams in the order in which they are tried: the session's own first, and healthy ones before unhealthy
// ones. Unhealthy upstreams are tried too, because the check may be wrong.
func (p *Pool) candidates(e *exchange.Exchange) []candidate {
	s := e.Shard
	members := *p.members.Load()
	list, healthy := make([]candidate, 0, 3), 0
	add := func(role string, u routing.Upstream) {
		if u == (routing.Upstream{}) {
			return
		}
		m := members[u]
		if m == nil {
			m = p.join(u)
		}
		// Read each health status once; one that changed meanwhile could otherwise be listed twice or not at all.
		if m.down.Load() {
			list = append(list, candidate{role, m})
		} else {
			list = slices.Insert(list, healthy, candidate{role, m})
			healthy++
		}
	}
	if e.Canary {
		add("canary", s.Canary)
	}
	add("stable", s.Stable)
	if p.options.Fallback {
		add("fallback", s.Fallback)
	}
	return list
}

// ErrSilent means that the upstream stopped sending within a response's body.
var ErrSilent = errors.New("the upstream stopped sending")

// RoundTrip sends the request to the first candidate that accepts it. It tries the next candidate only if that is safe: the connection was
// refused or the method is safe, and none of the body has been read.
func (p *Pool) RoundTrip(r *http.Request) (*http.Response, error) {
	e := exchange.From(r.Context())
	candidates := p.candidates(e)
	var body *onceBody
	send := func(m *member, r *http.Request) (*http.Response, error) {
		return m.client.roundTrip(r.Context(), r, observer{p.silence, e.Early})
	}
	ctx, cancel := r.Context(), context.CancelCauseFunc(func(error) {})
	if !Takes(r) {
		ctx, cancel = context.WithCancelCause(ctx)
		if r.Body != nil && r.Body != http.NoBody {
			body = &onceBody{ReadCloser: r.Body}
		}
		send = func(m *member, r *http.Request) (*http.Response, error) {
			return p.byTransport(ctx, cancel, m, r, body)
		}
	}
	for i, c := range candidates {
		e.Role, e.Upstream = c.role, c.member.upstream.Address
		res, err := send(c.member, r)
		if err == nil {
			return res, nil
		}
		var dial *net.OpError
		refused := errors.As(err, &dial) && dial.Op == "dial"
		if refused && ctx.Err() == nil {
			p.mark(c.member, true, err)
		}
		last := i == len(candidates)-1
		var timeout net.Error
		waited := errors.As(err, &timeout) && timeout.Timeout()
		if last || ctx.Err() != nil || body != nil && body.touched.Load() || !refused && (!safe(r) || waited) {
			cancel(nil)
			return nil, fmt.Errorf("%s %s: %w", c.role, c.member.upstream.Address, err)
		}
		p.metrics.Retries.WithLabelValues(e.Shard.Name, candidates[i+1].role).Inc()
	}
	panic("unreachable: the last candidate returns")
}

// byTransport sends the requests that the client does not accept, such as those with a body and upgrades. cancel ends ctx.
func (p *Pool) byTransport(ctx context.Context, cancel context.CancelCauseFunc, m *member, r *http.Request, body *onceBody) (*http.Response, error) {
	attempt := r.WithContext(ctx)
	u := *r.URL
	u.Scheme, u.Host = m.scheme, m.host
	attempt.URL, attempt.Close = &u, false
	if body != nil {
		attempt.Body = body
	}
	res, err := m.transport.RoundTrip(attempt)
	if err == nil {
		p.limitSilence(res, cancel)
	}
	return res, err
}

// onceBody records whether it was read, and ignores Close, so that a failed attempt does not close it. ReverseProxy closes the real body.
type onceBody struct {
	io.ReadCloser
	touched atomic.Bool
}

func (b *onceBody) Read(buffer []byte) (int, error) {
	b.touched.Store(true)
	return b.ReadCloser.Read(buffer)
}

func (b *onceBody) Close() error { return nil }

// silence returns the maximum pause of a response.
func (p *Pool) silence(h http.Header) time.Duration {
	if strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") {
		return p.options.StreamSilence
	}
	return p.options.UpstreamSilence
}

func (p *Pool) limitSilence(res *http.Response, cancel context.CancelCauseFunc) {
	if conn, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		tunnel := &tunnel{ReadWriteCloser: conn, limit: p.options.StreamSilence, cancel: cancel}
		tunnel.timer = time.AfterFunc(tunnel.limit, func() { conn.Close() })
		res.Body = tunnel
		return
	}
	limit := p.silence(res.Header)
	b := &silenceBody{ReadCloser: res.Body, limit: limit, cancel: cancel}
	b.timer = time.AfterFunc(limit, func() { cancel(ErrSilent) })
	b.timer.Stop()
	res.Body = b
}

// silenceBody fails if one read takes too long. The time between reads, which a slow client may take, does not count.
type silenceBody struct {
	io.ReadCloser
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func (b *silenceBody) Read(buffer []byte) (int, error) {
	b.timer.Reset(b.limit)
	n, err := b.ReadCloser.Read(buffer)
	b.timer.Stop()
	return n, err
}

func (b *silenceBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// tunnel is closed when neither side sends anything for too long.
type tunnel struct {
	io.ReadWriteCloser
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func (t *tunnel) Read(buffer []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(buffer)
	t.timer.Reset(t.limit)
	return n, err
}

func (t *tunnel) Write(buffer []byte) (int, error) {
	t.timer.Reset(t.limit)
	return t.ReadWriteCloser.Write(buffer)
}

func (t *tunnel) Close() error {
	t.timer.Stop()
	err := t.ReadWriteCloser.Close()
	t.cancel(nil)
	return err
}
