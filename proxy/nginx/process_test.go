package nginx

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crypto/tls"
)

func TestQuietStart(t *testing.T) {
	for _, stage := range []string{"production", "demo"} {
		onBoth(t, stage, func(t *testing.T, p *proxy) {
			p.start()
			if text := p.nginx.log.String(); strings.Contains(text, "[warn]") || strings.Contains(text, "[emerg]") {
				t.Errorf("nginx complains:\n%s", text)
			}
			// An operator's configuration test.
			words := append(strings.Fields(p.environ["NGINX"]), "-e", "stderr", "-t", "-p", p.environ["TEMPORARY_DIRECTORY"], "-c", "current/nginx.conf")
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil || strings.Contains(string(out), "[warn]") {
				t.Errorf("%v %s", err, out)
			}
			// The health port serves nothing else.
			res, err := http.Get("http://127.0.0.1:" + p.health + "/")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 404 {
				t.Errorf("%d", res.StatusCode)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		for name, value := range map[string]string{"PORT": "80;", "LISTEN_ADDRESS": "a b", "TRUSTED_PROXIES": "10.0.0.0/8;x", "HOST": "a;b", "GATEWAY_SOCKET": "/a b", "TEMPORARY_DIRECTORY": "/x\n", "NGINX": "/nowhere/nginx"} {
			command := exec.Command(filepath.Join(p.directory, "start"))
			for key, good := range p.environ {
				command.Env = append(command.Env, key+"="+good)
			}
			command.Env = append(command.Env, name+"="+value) // the last value wins
			out, err := command.CombinedOutput()
			if word := strings.TrimSpace(value); err == nil || !strings.Contains(string(out), word) {
				t.Errorf("%s=%q: %v %s", name, value, err, out)
			}
		}
		os.Remove(filepath.Join(p.settings, "revoked.pem"))
		p.environ["SETTINGS_TIMEOUT"] = "1"
		nginx := startProcess(t, exec.Command(filepath.Join(p.directory, "start")), p.environ)
		<-nginx.done
		if nginx.command.ProcessState.ExitCode() != 1 || !strings.Contains(nginx.log.String(), "revoked.pem") {
			t.Errorf("without a revocation list: %s", nginx.log.String())
		}
	})
}

// In the image, nginx is on the PATH.
func TestNginxOnThePath(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		path := filepath.Join(p.run, "bin")
		must(0, os.Mkdir(path, 0o755))
		must(0, os.Symlink(p.environ["NGINX"], filepath.Join(path, "nginx")))
		delete(p.environ, "NGINX")
		p.environ["PATH"] = path + ":" + p.environ["PATH"]
		p.start()
		if a := get(t, p.browser(), "/"); a.status != 200 {
			t.Errorf("%d", a.status)
		}
	})
}

// Invalid settings never replace valid ones.
func TestBadSettingsDoNotReplaceGoodOnes(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.start()
		refused := func() int { return strings.Count(p.nginx.log.String(), "keeping the current ones") }
		old := must(os.ReadFile(filepath.Join(p.settings, "server.key")))
		for i, bad := range []func(){
			func() { p.write("server.key", []byte("not a key")) },
			func() { p.write("server.key", must(p.servers.Server("x")).Key) },
			func() { p.write("server.key", old); p.write("revoked.pem", []byte("not a list")) },
		} {
			bad()
			eventually(t, "it is refused", func() bool { return refused() > i })
			if a := get(t, p.browser(), "/"); a.status != 200 {
				t.Errorf("%d", a.status)
			}
		}
		p.reloaded(func() { p.revoke() })
		if a := get(t, p.browser(), "/"); a.status != 200 {
			t.Errorf("after the last good set: %d", a.status)
		}
	})
}

func TestNothingFailsWhileThingsRestart(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		p.start()
		stops := []func() (int, int){p.load(4, false), p.load(2, true)}
		for range 2 {
			p.reloaded(p.writeServer)
		}
		for range 2 {
			// The new gateway takes over the socket, then the old one drains.
			next := p.startGateway()
			if status := p.gateway.end(syscall.SIGTERM); status != 0 {
				t.Errorf("the old gateway ended with %d", status)
			}
			p.gateway = next
			time.Sleep(200 * time.Millisecond)
		}
		for _, stop := range stops {
			if answered, failed := stop(); failed != 0 || answered < 100 {
				t.Errorf("%d of %d requests failed", failed, answered)
			}
		}
	})
}

// Requests are still served for a load balancer that has not noticed the shutdown yet.
func TestDrainDelay(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.environ["DRAIN_DELAY"] = "2"
		p.start()
		_ = p.nginx.command.Process.Signal(syscall.SIGTERM)
		eventually(t, "it drains", func() bool { return strings.Contains(p.nginx.log.String(), "start: draining") })
		if a := get(t, p.browser(), "/"); a.status != 200 {
			t.Errorf("%d", a.status)
		}
		eventually(t, "no new connections", func() bool { return !p.alive() })
		if <-p.nginx.done; p.nginx.command.ProcessState.ExitCode() != 0 {
			t.Errorf("status %d\n%s", p.nginx.command.ProcessState.ExitCode(), p.nginx.log.String())
		}
		// A second signal stops nginx at once.
		p.environ["DRAIN_DELAY"] = "60"
		p.startNginx()
		_ = p.nginx.command.Process.Signal(syscall.SIGTERM)
		eventually(t, "it drains", func() bool { return strings.Contains(p.nginx.log.String(), "start: draining") })
		p.nginx.end(syscall.SIGTERM)
	})
}

func TestDrain(t *testing.T) {
	onBoth(t, "production", func(t *testing.T, p *proxy) {
		arrived, goOn := make(chan bool, 1), make(chan bool)
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			arrived <- true
			<-goOn
			fmt.Fprint(w, "done")
		}
		p.start()
		for _, signal := range []os.Signal{syscall.SIGQUIT, syscall.SIGTERM} {
			running := make(chan error, 1)
			go func() {
				a, err := try(p.browser(), "GET", "/", nil, nil)
				if err == nil && a.body != "done" {
					err = fmt.Errorf("%d %s", a.status, a.body)
				}
				running <- err
			}()
			<-arrived
			_ = p.nginx.command.Process.Signal(signal)
			eventually(t, "no new connections", func() bool { return !p.alive() })
			if p.nginx.ended() {
				t.Errorf("%v did not wait", signal)
			}
			goOn <- true
			if err := <-running; err != nil {
				t.Errorf("%v: the running request: %v", signal, err)
			}
			if <-p.nginx.done; p.nginx.command.ProcessState.ExitCode() != 0 {
				t.Errorf("%v: status %d\n%s", signal, p.nginx.command.ProcessState.ExitCode(), p.nginx.log.String())
			}
			p.startNginx()
		}
		// Requests that don't end are aborted.
		p.nginx.end(syscall.SIGTERM)
		p.environ["DRAIN_TIMEOUT"] = "1"
		p.startNginx()
		conn := must(tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls(p.certificate())))
		defer conn.Close()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n")
		<-arrived
		began := time.Now()
		p.nginx.end(syscall.SIGQUIT)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("ended after %v", took)
		}
		if _, err := bufio.NewReader(conn).ReadByte(); err == nil {
			t.Error("an answer to what was cut")
		}
		close(goOn)
	})
}
