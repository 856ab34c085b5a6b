// Package nginx contains only tests, which run ./start of both stages on two versions of nginx, in front of a real gateway and a real upstream.
package nginx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lockstep/proxy/internal/authority"
	"lockstep/proxy/internal/testlog"
)

var gatewayProgram string // built once, by TestMain

func TestMain(m *testing.M) {
	for _, variable := range []string{"LOCKSTEP_NGINX", "LOCKSTEP_NGINX_CURRENT"} {
		if os.Getenv(variable) == "" {
			fmt.Fprintf(os.Stderr, "%s is not set: these tests need nginx of Debian's stable release and the current one.\n"+
				"Get both:  proxy/install-nginx DIRECTORY, then set LOCKSTEP_NGINX=DIRECTORY/nginx-stable LOCKSTEP_NGINX_CURRENT=DIRECTORY/nginx-current\n"+
				"(proxy/test does all that)\n", variable)
			os.Exit(1)
		}
	}
	directory, err := os.MkdirTemp("", "nginx")
	if err != nil {
		panic(err)
	}
	gatewayProgram = filepath.Join(directory, "gateway")
	if out, err := exec.Command("go", "build", "-o", gatewayProgram, "lockstep/proxy/gateway/cmd/gateway").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(directory)
	os.Exit(status)
}

// onBoth runs test on both versions of nginx, with -short only on the one of the images. The proxy of the given stage is not started yet.
func onBoth(t *testing.T, stage string, test func(t *testing.T, p *proxy)) {
	for name, variable := range map[string]string{"stable": "LOCKSTEP_NGINX", "current": "LOCKSTEP_NGINX_CURRENT"} {
		t.Run(stage+"/"+name, func(t *testing.T) {
			if testing.Short() && name != "stable" {
				t.Skip("-short")
			}
			t.Parallel()
			test(t, newProxy(t, stage, os.Getenv(variable)))
		})
	}
}

// proxy is nginx of one stage, a gateway and an upstream.
type proxy struct {
	t         *testing.T
	directory string // content of the Dockerfile's WORKDIR
	run       string // all other files
	settings  string
	port      string
	health    string
	environ   map[string]string

	servers, clients *authority.Authority
	revocations      int64
	upstream         http.HandlerFunc // set before start; if nil, the upstream echoes requests

	nginx, gateway *process
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newProxy(t *testing.T, stage, nginx string) *proxy {
	run := must(os.MkdirTemp("", "nx")) // t.TempDir can be too long for a socket
	t.Cleanup(func() { os.RemoveAll(run) })
	p := &proxy{t: t, directory: filepath.Join(run, "opt"), run: run, settings: filepath.Join(run, "settings"), port: freePort(), health: freePort(),
		servers: must(authority.New("servers", time.Hour)), clients: must(authority.New("clients", time.Hour))}
	must(0, os.Mkdir(p.directory, 0o755))
	must(0, os.Mkdir(p.settings, 0o755))
	copyStage(t, stage, p.directory)
	p.environ = map[string]string{"NGINX": nginx, "PATH": os.Getenv("PATH"), "LISTEN_ADDRESS": "127.0.0.1", "PORT": p.port, "HEALTH_PORT": p.health,
		"HOST": "demo.example", "SETTINGS_DIRECTORY": p.settings, "GATEWAY_SOCKET": filepath.Join(run, "g.sock"), "TEMPORARY_DIRECTORY": filepath.Join(run, "tmp"),
		"SETTINGS_TIMEOUT": "5"}
	p.writeServer()
	p.write("client-authority.pem", p.clients.PEM())
	p.revoke()
	return p
}

// copyStage executes the COPY lines of a Dockerfile stage, after those of its base stages.
func copyStage(t *testing.T, stage, directory string) {
	copied, in := 0, ""
	for line := range strings.Lines(string(must(os.ReadFile("Dockerfile")))) {
		words := strings.Fields(line)
		if len(words) == 4 && words[0] == "FROM" {
			if in == stage {
				break // each stage is based on the previous one
			}
			in = words[3]
		}
		if len(words) == 3 && words[0] == "COPY" {
			if out, err := exec.Command("cp", "-R", strings.TrimSuffix(words[1], "/")+map[bool]string{true: "/."}[strings.HasSuffix(words[1], "/")], directory).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", line, out)
			}
			copied++
		}
	}
	if in != stage || copied == 0 {
		t.Fatalf("the Dockerfile has no stage %s that copies", stage)
	}
}

// edit replaces text in a configuration file, to shorten a test's waits.
func (p *proxy) edit(file, old, fresh string) {
	p.t.Helper()
	path := filepath.Join(p.directory, file)
	text := string(must(os.ReadFile(path)))
	if strings.Count(text, old) != 1 {
		p.t.Fatalf("%s holds %q %d times", file, old, strings.Count(text, old))
	}
	must(0, os.WriteFile(path, []byte(strings.Replace(text, old, fresh, 1)), 0o644))
}

// write replaces a settings file like the settings program.
func (p *proxy) write(name string, data []byte) {
	path := filepath.Join(p.settings, name)
	must(0, os.WriteFile(path+".new", data, 0o640))
	must(0, os.Rename(path+".new", path))
}

func (p *proxy) writeServer() {
	pair := must(p.servers.Server("demo.example", "localhost", "127.0.0.1"))
	p.write("server.pem", pair.Certificate)
	p.write("server.key", pair.Key)
}

func (p *proxy) revoke(serials ...*big.Int) {
	p.revocations++
	p.write("revoked.pem", must(p.clients.RevocationList(p.revocations, time.Now().Add(time.Hour), serials...)))
}

var lastPort atomic.Int64

// freePort returns a free port below the ephemeral range, so that no client takes it before nginx.
func freePort() string {
	lastPort.CompareAndSwap(0, int64(20000+os.Getpid()%10000))
	for {
		port := fmt.Sprint(lastPort.Add(1))
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			listener.Close()
			return port
		}
	}
}

// start runs upstream, gateway and nginx, and returns once requests are served.
func (p *proxy) start() *proxy {
	p.t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.upstream != nil && r.URL.Path != "/health" {
			p.upstream(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(echo{r.Method, r.Host, r.RequestURI, r.Header, len(body)})
	}))
	p.t.Cleanup(server.Close)
	must(0, os.WriteFile(filepath.Join(p.run, "routes.json"), fmt.Appendf(nil,
		`{"edition": "demo", "tenantRules": [{"header": "X-Client-Cert-Organization"}], "shards": {"one": {"upstream": %q}}, "default": "one"}`, server.URL), 0o644))
	p.gateway = p.startGateway()
	p.t.Cleanup(func() {
		p.nginx.end(syscall.SIGTERM)
		p.gateway.end(syscall.SIGKILL)
		if p.t.Failed() {
			p.t.Logf("nginx:\n%s\ngateway:\n%s", tail(p.nginx.log.String()), tail(p.gateway.log.String()))
		}
	})
	p.startNginx()
	return p
}

func tail(text string) string { return text[max(0, len(text)-3000):] }

func (p *proxy) startGateway() *process {
	g := startProcess(p.t, exec.Command(gatewayProgram), map[string]string{"EDITION": "demo", "GATEWAY_ROUTES": filepath.Join(p.run, "routes.json"),
		"GATEWAY_LISTEN": "unix:" + p.environ["GATEWAY_SOCKET"], "GATEWAY_ADMIN": "127.0.0.1:0", "GATEWAY_DRAIN_DELAY": "300ms"})
	eventually(p.t, "the gateway serves", func() bool { return strings.Contains(g.log.String(), `"serving"`) || g.ended() })
	return g
}

func (p *proxy) startNginx() {
	p.t.Helper()
	p.nginx = startProcess(p.t, exec.Command(filepath.Join(p.directory, "start")), p.environ)
	eventually(p.t, "nginx serves", func() bool { return p.alive() || p.nginx.ended() })
	if p.nginx.ended() {
		p.t.Fatalf("nginx ended:\n%s", p.nginx.log.String())
	}
}

func (p *proxy) alive() bool {
	res, err := http.Get("http://127.0.0.1:" + p.health + "/healthz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == 200
}

// reloaded calls what, then waits until nginx has reloaded and its old workers no longer listen.
func (p *proxy) reloaded(what func()) {
	p.t.Helper()
	count := func() int { return strings.Count(p.nginx.log.String(), "start: reloading") }
	before, workers := count(), p.workers()
	what()
	eventually(p.t, "nginx reloads", func() bool { return count() > before })
	eventually(p.t, "new workers took over", func() bool {
		fresh := false
		for pid, title := range p.workers() {
			if strings.Contains(title, "shutting") {
				continue
			}
			if workers[pid] != "" {
				return false
			}
			fresh = true
		}
		return fresh
	})
}

// workers returns the titles of nginx's workers by process id.
func (p *proxy) workers() map[string]string {
	master := strings.TrimSpace(string(must(os.ReadFile(filepath.Join(p.environ["TEMPORARY_DIRECTORY"], "nginx.pid")))))
	all := map[string]string{}
	for _, pid := range strings.Fields(string(must(os.ReadFile("/proc/" + master + "/task/" + master + "/children")))) {
		if title, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil && strings.Contains(string(title), "worker process") {
			all[pid] = string(title)
		}
	}
	return all
}

type process struct {
	command *exec.Cmd
	log     *testlog.Buffer
	done    chan struct{}
}

func startProcess(t *testing.T, command *exec.Cmd, environ map[string]string) *process {
	t.Helper()
	p := &process{command: command, log: &testlog.Buffer{}, done: make(chan struct{})}
	for name, value := range environ {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout, command.Stderr = p.log, p.log
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = command.Wait(); close(p.done) }() // the status is in ProcessState
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end signals the process and returns its exit status.
func (p *process) end(signal os.Signal) int {
	_ = p.command.Process.Signal(signal) // fails if it has exited
	<-p.done
	return p.command.ProcessState.ExitCode()
}

// stop stops the process and returns once all its threads have stopped; right after the signal, some might still serve a request.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.command.Process.Signal(syscall.SIGSTOP)
	eventually(t, "every thread has stopped", func() bool {
		for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.command.Process.Pid))) {
			if stat := string(must(os.ReadFile(path))); !strings.HasPrefix(stat[strings.LastIndex(stat, ")"):], ") T") {
				return false
			}
		}
		return true
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// certificate is a client certificate.
type certificate struct {
	tls.Certificate
	serial *big.Int
}

func clientOf(a *authority.Authority, organization string, notAfter time.Time) *certificate {
	pair := must(a.Client(pkix.Name{CommonName: "alice, O=evil", Organization: []string{organization}, Country: []string{"JP"}}, notAfter))
	block, _ := pem.Decode(pair.Certificate)
	return &certificate{must(tls.X509KeyPair(pair.Certificate, pair.Key)), must(x509.ParseCertificate(block.Bytes)).SerialNumber}
}

func (p *proxy) certificate() *certificate {
	return clientOf(p.clients, "acme", time.Now().Add(time.Hour))
}

// tls returns a client's configuration. c may be nil.
func (p *proxy) tls(c *certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(p.servers.Certificate)
	config := &tls.Config{RootCAs: roots, ServerName: "demo.example"}
	if c != nil {
		// Sends the certificate regardless of the server's hints, because the server must refuse it.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.Certificate, nil }
	}
	return config
}

// client returns a browser with or without a certificate that connects from a loopback address.
func (p *proxy) client(c *certificate, http2 bool, from string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{TLSClientConfig: p.tls(c), MaxIdleConnsPerHost: 200, Protocols: new(http.Protocols),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, "127.0.0.1:"+p.port)
		}}
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetHTTP2(http2)
	p.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// browser returns a client that the stage admits.
func (p *proxy) browser() *http.Client { return p.client(p.certificate(), false, "127.0.0.1") }

// echo is the upstream's response, which describes a request.
type echo struct {
	Method, Host, URI string
	Header            http.Header
	Length            int
}

type answer struct {
	status int
	header http.Header
	body   string
	echo   echo
	code   string // of a problem in JSON
	proto  string
}

func send(t *testing.T, client *http.Client, method, path string, header http.Header, body io.Reader) answer {
	t.Helper()
	a, err := try(client, method, path, header, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func try(client *http.Client, method, path string, header http.Header, body io.Reader) (answer, error) {
	request := must(http.NewRequest(method, "https://demo.example"+path, body))
	request.Header.Set("Accept", "application/json")
	maps.Copy(request.Header, header)
	if hosts := request.Header["Host"]; hosts != nil {
		request.Host = hosts[0]
		request.Header.Del("Host")
	}
	res, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("body: %w", err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(data), proto: res.Proto}
	var problem struct{ Error string }
	_ = json.Unmarshal(data, &problem)
	_ = json.Unmarshal(data, &a.echo) // fails for HTML
	a.code = problem.Error
	return a, nil
}

func get(t *testing.T, client *http.Client, path string) answer {
	t.Helper()
	return send(t, client, "GET", path, nil, nil)
}

// load sends requests on keep-alive connections until stopped. stop returns how many succeeded and how many failed.
//
// Before 1.27.4, a worker that shuts down closes idle HTTP/1.1 connections silently. Clients then repeat safe requests automatically, but must not
// repeat a POST. So for these versions, POSTs use only HTTP/2, which reports unprocessed requests.
func (p *proxy) load(clients int, http2 bool) (stop func() (answered, failed int)) {
	var mutex sync.Mutex
	answered, failed := 0, 0
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	c := p.certificate()
	for range clients {
		client := p.client(c, http2, "127.0.0.1")
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				method, body := "GET", ""
				if n%3 == 0 && (http2 || p.environ["NGINX"] == os.Getenv("LOCKSTEP_NGINX_CURRENT")) {
					method, body = "POST", "some body"
				}
				a, err := try(client, method, "/load", nil, strings.NewReader(body))
				good := err == nil && a.status == 200 && a.echo.Length == len(body)
				mutex.Lock()
				answered++
				if !good {
					failed++
					p.t.Errorf("%s: %d %v %.300s", method, a.status, err, a.body)
				}
				mutex.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() (int, int) {
		cancel()
		all.Wait()
		p.t.Logf("%d answered, %d failed", answered, failed)
		return answered, failed
	}
}
