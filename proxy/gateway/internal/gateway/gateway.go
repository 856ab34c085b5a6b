// Package gateway puts the parts together: options, then everything validated, then built, then served.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lockstep/proxy/gateway/internal/middleware"
	"lockstep/proxy/gateway/internal/options"
	"lockstep/proxy/gateway/internal/proxy"
	"lockstep/proxy/gateway/internal/telemetry"
	"lockstep/proxy/gateway/internal/upstream"
	"lockstep/proxy/gateway/internal/wire"
	"lockstep/proxy/internal/routing"
)

// Main is the whole program but for its process. Set the exported fields, call Run, then Close once.
type Main struct {
	Environ []string  // as os.Environ gives it
	Log     io.Writer // gets JSON lines

	options  options.Options
	output   *output
	log      *slog.Logger
	metrics  *telemetry.Metrics
	file     *routing.File
	pool     *upstream.Pool
	server   *http.Server
	admin    *http.Server
	adminAt  string
	sockets  []*wire.Socket
	at       []string
	draining atomic.Bool
	inFlight atomic.Int64
	failed   chan error
	stop     context.CancelFunc // ends watching, and what the drain timeout cuts
	cut      context.CancelFunc
	tasks    sync.WaitGroup
}

// output lets the log and the access log share a writer, each line whole.
type output struct {
	mutex sync.Mutex
	to    io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.to.Write(b)
}

// Check validates environment and routing file and starts nothing. The error holds every problem of both, one a line.
func Check(environ []string) error {
	_, _, err := load(environ)
	return err
}

func load(environ []string) (options.Options, *routing.File, error) {
	o, err := options.Parse(environ)
	if err != nil {
		// The routing file's problems are told in the same run, as far as it can be found.
		edition, path := "", ""
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, "EDITION="); ok {
				edition = value
			}
			if value, ok := strings.CutPrefix(entry, "GATEWAY_ROUTES="); ok {
				path = value
			}
		}
		if path != "" {
			_, routesErr := routing.Open(path, edition)
			err = errors.Join(err, routesErr)
		}
		return o, nil, err
	}
	file, err := routing.Open(o.Routes, string(o.Edition))
	return o, file, err
}

// Run starts everything and returns once requests are served. On error nothing is left running.
func (m *Main) Run() error {
	o, file, err := load(m.Environ)
	if err != nil {
		return err
	}
	m.options, m.file = o, file
	level := slog.LevelInfo
	if o.LogDebug {
		level = slog.LevelDebug
	}
	m.output = &output{to: m.Log}
	m.log = slog.New(slog.NewJSONHandler(m.output, &slog.HandlerOptions{Level: level})).With("edition", string(o.Edition))
	m.metrics = telemetry.New(string(o.Edition))
	m.failed = make(chan error, len(o.Listen)+1)

	listeners, err := m.listen()
	if err != nil {
		return err
	}
	m.pool = upstream.New(o, m.log, m.metrics)
	m.pool.Update(file.Table())
	m.show(file.Table())

	ctx, cut := context.WithCancel(context.Background())
	watching, stop := context.WithCancel(ctx)
	m.stop, m.cut = stop, cut
	var protocols http.Protocols
	protocols.SetHTTP1(true) // one protocol between the two, so that there is one way to read a request
	m.server = &http.Server{
		Handler:                      m.handler(),
		ReadHeaderTimeout:            o.HeaderTimeout,
		IdleTimeout:                  o.IdleTimeout,
		MaxHeaderBytes:               o.MaxHeaderBytes,
		Protocols:                    &protocols,
		DisableGeneralOptionsHandler: true,
		ConnContext:                  wire.ConnContext,
		ConnState:                    wire.ConnState,
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ErrorLog:                     slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
		// ReadTimeout and WriteTimeout would end streams and uploads however well they flow: middleware.Body and
		// wire.Conn limit each silence and each write instead.
	}
	adminListener := listeners[len(listeners)-1]
	m.adminAt = adminListener.Addr().String()
	m.admin = &http.Server{
		Handler:           telemetry.Admin(m.metrics, m.ready),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          m.server.ErrorLog,
	}
	serve := func(server *http.Server, listener net.Listener) {
		m.tasks.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) && !m.draining.Load() {
				m.failed <- fmt.Errorf("serving %s: %w", listener.Addr(), err)
			}
		})
	}
	serve(m.admin, adminListener)
	for _, listener := range listeners[:len(listeners)-1] {
		serve(m.server, listener)
	}
	m.tasks.Go(func() {
		file.Watch(watching, o.RoutesPoll, m.pool.Update, m.reloaded)
	})
	m.log.Info("serving", "listen", m.at, "admin", m.adminAt, "shards", len(file.Table().Shards))
	return nil
}

// listen opens every listener, the admin's last.
func (m *Main) listen() ([]net.Listener, error) {
	var listeners []net.Listener
	fail := func(err error) ([]net.Listener, error) {
		for _, l := range listeners {
			l.Close()
		}
		return nil, err
	}
	for _, at := range m.options.Listen {
		var listener net.Listener
		if at.Network == "unix" {
			socket, err := wire.ListenUnix(at.Address, m.options.SocketMode)
			if err != nil {
				return fail(err)
			}
			m.sockets = append(m.sockets, socket)
			listener = socket
			m.at = append(m.at, "unix:"+at.Address)
		} else {
			tcp, err := net.Listen(at.Network, at.Address)
			if err != nil {
				return fail(fmt.Errorf("listening on %s: %w", at.Address, err))
			}
			listener = tcp
			m.at = append(m.at, tcp.Addr().String())
		}
		listeners = append(listeners, &wire.Listener{Listener: listener, Trusted: at.Trusted, WriteTimeout: m.options.WriteTimeout, Refused: m.refused})
	}
	admin, err := net.Listen("tcp", m.options.Admin)
	if err != nil {
		return fail(fmt.Errorf("listening on %s for admin: %w", m.options.Admin, err))
	}
	return append(listeners, admin), nil
}

// handler puts the steps together, the first outermost.
func (m *Main) handler() http.Handler {
	o := m.options
	h := proxy.New(o, m.log, m.pool)
	h = middleware.Body(o.MaxBodyBytes, o.BodyTimeout, h)
	h = middleware.Canary(o.Canary, h)
	h = middleware.RateLimit(o.RateLimit, o.RateBurst, m.metrics.Limiters, h)
	h = middleware.SignUp(o.SignUpOpen, o.SignUpPaths, h)
	h = middleware.Maintenance(o.Maintenance, h)
	h = middleware.Route(m.file.Table, h)
	h = middleware.Sanitize(h)
	h = middleware.Drain(&m.draining, &m.inFlight, h)
	h = middleware.ResponseHeaders(o.ResponseHeaders, h)
	return middleware.Access(m.log, middleware.NewLines(m.output, string(o.Edition)), m.metrics, o.AccessLog, h)
}

func (m *Main) refused(status int, reason string) {
	m.metrics.Unparsed.WithLabelValues(strconv.Itoa(status)).Inc()
	m.log.Warn("refused before it could be read", "status", status, "error", reason)
}

func (m *Main) reloaded(err error) {
	if err != nil {
		m.metrics.Reloads.WithLabelValues("refused").Inc()
		m.log.Error("routing file refused, the old table stays", "problems", strings.Split(err.Error(), "\n"))
		return
	}
	m.metrics.Reloads.WithLabelValues("accepted").Inc()
	m.show(m.file.Table())
	m.log.Info("routing table swapped", "shards", len(m.file.Table().Shards))
}

// show tells the metrics what the table says.
func (m *Main) show(table *routing.Table) {
	m.metrics.ReloadTime.SetToCurrentTime()
	m.metrics.Maintenance.Reset()
	m.metrics.Weight.Reset()
	number := map[bool]float64{true: 1}
	m.metrics.Maintenance.WithLabelValues("").Set(number[table.Maintenance.On || m.options.Maintenance])
	for name, shard := range table.Shards {
		m.metrics.Maintenance.WithLabelValues(name).Set(number[shard.Maintenance.On])
		if shard.Canary.Address != "" {
			m.metrics.Weight.WithLabelValues(name).Set(float64(shard.CanaryWeight) / 100)
		}
	}
}

func (m *Main) ready() (bool, string) {
	if m.draining.Load() {
		return false, "draining"
	}
	return true, ""
}

// Failed gets the error of a listener that can no longer accept.
func (m *Main) Failed() <-chan error { return m.failed }

// Addresses answers where requests come in, in the order of GATEWAY_LISTEN (Unix sockets with unix: before them), and the
// admin's host:port. Ports that were 0 are the real ones.
func (m *Main) Addresses() (listen []string, admin string) { return m.at, m.adminAt }

// Time for the accept queue of a socket whose path is gone to empty.
const acceptRest = 100 * time.Millisecond

// Close drains: /readyz fails and connections are closed after their next answer, but all is served; after the drain delay nothing new
// is accepted, and what runs may end; after the drain timeout the rest is cut, which is the error.
func (m *Main) Close() error {
	m.draining.Store(true)
	m.metrics.Draining.Set(1)
	m.log.Info("draining", "in_flight", m.inFlight.Load())
	time.Sleep(m.options.DrainDelay)
	for _, socket := range m.sockets {
		socket.Unlink()
	}
	if len(m.sockets) > 0 {
		time.Sleep(acceptRest)
	}
	ctx, cancel := context.WithTimeout(context.Background(), m.options.DrainTimeout)
	defer cancel()
	err := m.server.Shutdown(ctx)
	// Shutdown does not know of connections that became WebSockets.
	for err == nil && m.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err != nil {
		err = fmt.Errorf("%d requests cut after %v: %w", m.inFlight.Load(), m.options.DrainTimeout, err)
	}
	m.stop()
	m.cut()
	m.server.Close()
	m.pool.Close()
	m.admin.Close()
	m.tasks.Wait()
	m.log.Info("drained", "error", fmt.Sprint(err))
	return err
}
