// Package gateway assembles the gateway: it parses and validates the options, builds the handlers, and serves.
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

// Main is the program, without its process. Set the exported fields, call Run, then Close once.
type Main struct {
	Environ []string  // in the form of os.Environ
	Log     io.Writer // receives JSON lines

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
	at       []string // in the order of GATEWAY_LISTEN, with the actual ports; Unix sockets with the prefix unix:
	draining atomic.Bool
	inFlight atomic.Int64
	failed   chan error
	stop     context.CancelFunc // stops watching the routing file, and requests that outlast the drain timeout
	cut      context.CancelFunc
	tasks    sync.WaitGroup
}

// output lets the log and the access log share a writer without mixing their lines.
type output struct {
	mutex sync.Mutex
	to    io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.to.Write(b)
}

// Check validates the environment and the routing file without starting anything. The error lists every problem, one per line.
func Check(environ []string) error {
	_, _, err := load(environ)
	return err
}

func load(environ []string) (options.Options, *routing.File, error) {
	o, err := options.Parse(environ)
	if err != nil {
		// Report the routing file's problems in the same run, if the file can be found.
		if o.Routes != "" {
			_, routesErr := routing.Open(o.Routes, string(o.Edition))
			err = errors.Join(err, routesErr)
		}
		return o, nil, err
	}
	file, err := routing.Open(o.Routes, string(o.Edition))
	return o, file, err
}

// Run starts the gateway and returns once it serves requests. On error, nothing is left running.
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
	protocols.SetHTTP1(true) // a single protocol between nginx and the gateway, so that both parse requests alike
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
		// ReadTimeout and WriteTimeout would end long streams and uploads even while data flows. middleware.Body and
		// wire.Conn limit each pause and each write instead.
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

// listen opens all listeners, the admin listener last.
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

// handler chains the middleware; the first is the outermost.
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
	m.log.Warn("request refused before it reached a handler", "status", status, "error", reason)
}

func (m *Main) reloaded(err error) {
	if err != nil {
		m.metrics.Reloads.WithLabelValues("refused").Inc()
		m.log.Error("routing file rejected, keeping the previous table", "problems", strings.Split(err.Error(), "\n"))
		return
	}
	m.metrics.Reloads.WithLabelValues("accepted").Inc()
	m.show(m.file.Table())
	m.log.Info("routing table replaced", "shards", len(m.file.Table().Shards))
}

// show sets the metrics that describe the routing table.
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

// Failed receives the error of a listener that can no longer accept connections.
func (m *Main) Failed() <-chan error { return m.failed }

// How long to accept connections from the queue of a socket whose path has been removed.
const acceptRest = 100 * time.Millisecond

// Close drains the gateway. At first /readyz fails and connections are closed after their next response, but new connections are accepted.
// After the drain delay no new connections are accepted, and running requests may finish. After the drain timeout the remaining requests are
// aborted, and Close returns an error.
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
	// Shutdown does not wait for WebSockets.
	for err == nil && m.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err != nil {
		err = fmt.Errorf("%d requests aborted after %v: %w", m.inFlight.Load(), m.options.DrainTimeout, err)
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
