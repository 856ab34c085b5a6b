package nginx

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// underAttack runs an attack from one address while a client at another sends requests, all of which must succeed in time. The client continues
// for a while after the attack, to detect lasting damage.
func (p *proxy) underAttack(t *testing.T, attack func(ended <-chan bool)) {
	t.Helper()
	p.underAttackUntil(t, func() bool { return true }, attack)
}

// underAttackUntil continues the attack until it had its effect, at most for 30 seconds.
func (p *proxy) underAttackUntil(t *testing.T, effect func() bool, attack func(ended <-chan bool)) {
	t.Helper()
	workers := p.workers()
	ended := make(chan bool)
	var attacking sync.WaitGroup
	attacking.Go(func() { attack(ended) })
	client := p.client(p.certificate(), false, "127.0.0.7")
	slowest := time.Duration(0)
	asked := 0
	var over time.Time
	for began := time.Now(); over.IsZero() || time.Since(over) < time.Second; asked++ {
		if elapsed := time.Since(began); over.IsZero() && elapsed > 3*time.Second && (effect() || elapsed > 30*time.Second) {
			over = time.Now()
			close(ended)
		}
		before := time.Now()
		if a, err := try(client, "GET", "/", nil, nil); err != nil || a.status != 200 {
			t.Errorf("while attacked: %d %v %.200s", a.status, err, a.body)
			break
		}
		slowest = max(slowest, time.Since(before))
		time.Sleep(50 * time.Millisecond) // within the limit per address
	}
	if over.IsZero() {
		close(ended)
	}
	attacking.Wait()
	t.Logf("%d requests answered, the slowest in %v", asked, slowest)
	if slowest > 5*time.Second {
		t.Errorf("a request took %v", slowest)
	}
	for pid := range workers {
		if p.workers()[pid] == "" {
			t.Errorf("worker %s is gone:\n%s", pid, tail(p.nginx.log.String()))
			continue
		}
		pages := 0
		if _, err := fmt.Sscanf(strings.Fields(string(must(os.ReadFile("/proc/" + pid + "/statm"))))[1], "%d", &pages); err != nil || pages*os.Getpagesize() > 200<<20 {
			t.Errorf("worker %s has %d MiB after the attack (%v)", pid, pages*os.Getpagesize()>>20, err)
		} else {
			t.Logf("worker %s has %d MiB after the attack", pid, pages*os.Getpagesize()>>20)
		}
	}
}

// dial opens a connection from an attacker's address. It returns nil if the connection is refused.
func (p *proxy) dial(config *tls.Config) net.Conn {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}, Timeout: 10 * time.Second}
	var conn net.Conn
	var err error
	if config == nil {
		conn, err = dialer.Dial("tcp", "127.0.0.1:"+p.port)
	} else {
		conn, err = tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+p.port, config)
	}
	if err != nil {
		return nil
	}
	return conn
}

// fromEach attacks from many TLS connections in parallel, except refused ones, and returns when all have ended.
func (p *proxy) fromEach(connections int, attack func(net.Conn)) {
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			conn := p.dial(p.tls(nil))
			if conn == nil {
				return
			}
			defer conn.Close()
			attack(conn)
		})
	}
	all.Wait()
}

func TestSlowloris(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.edit("nginx.conf", "client_header_timeout 10s", "client_header_timeout 5s")
		p.start()
		var opened, cut atomic.Int64
		p.underAttackUntil(t, func() bool { return cut.Load() >= max(1, opened.Load()*9/10) }, func(ended <-chan bool) {
			p.fromEach(200, func(conn net.Conn) {
				opened.Add(1)
				io.WriteString(conn, "GET / HTTP/1.1\r\nHost: demo.example\r\nA: ")
				for {
					select {
					case <-ended:
						return
					case <-time.After(100 * time.Millisecond):
					}
					if _, err := io.WriteString(conn, "x"); err != nil {
						cut.Add(1)
						return
					}
				}
			})
		})
		if opened.Load() == 0 || cut.Load() < opened.Load()*9/10 {
			t.Errorf("of %d connections that trickle a header, %d were cut", opened.Load(), cut.Load())
		}
	})
}

func TestIdleConnections(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.edit("nginx.conf", "client_header_timeout 10s", "client_header_timeout 4s")
		p.start()
		var opened, cut atomic.Int64
		p.underAttack(t, func(ended <-chan bool) {
			var all sync.WaitGroup
			for range 1500 { // sends nothing, not even a handshake
				conn := p.dial(nil)
				if conn == nil {
					continue
				}
				opened.Add(1)
				all.Go(func() {
					defer conn.Close()
					_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					if _, err := conn.Read(make([]byte, 1)); err != nil && !os.IsTimeout(err) {
						cut.Add(1)
					}
				})
			}
			all.Wait()
		})
		if opened.Load() < 1000 || cut.Load() != opened.Load() {
			t.Errorf("of %d silent connections %d were cut", opened.Load(), cut.Load())
		}
	})
}

// With more connections than a worker can hold, silent ones are closed first, and then requests are served.
func TestMoreConnectionsThanThereIsRoomFor(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		p.edit("nginx.conf", "worker_connections 4096", "worker_connections 256")
		p.edit("nginx.conf", "client_header_timeout 10s", "client_header_timeout 1s")
		p.start()
		var held []net.Conn
		for range 2000 {
			if conn := p.dial(nil); conn != nil {
				held = append(held, conn)
			}
		}
		defer func() {
			for _, conn := range held {
				conn.Close()
			}
		}()
		client := p.client(nil, false, "127.0.0.7")
		eventually(t, "somebody is served again", func() bool {
			a, err := try(client, "GET", "/", nil, nil)
			return err == nil && a.status == 200
		})
	})
}

// floods lets clients send endlessly until they are disconnected, and returns their responses. nginx reads and discards data from a refused
// client for a short while, so that the client can read the response.
func (p *proxy) floods(t *testing.T, begin, more string) (told []string) {
	t.Helper()
	p.edit("nginx.conf", "lingering_time 5s", "lingering_time 1s")
	p.start()
	var mutex sync.Mutex
	p.underAttack(t, func(ended <-chan bool) {
		p.fromEach(30, func(conn net.Conn) {
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			heard := make(chan string, 1)
			go func() { heard <- readAll(conn) }()
			_, err := io.WriteString(conn, begin)
			for sent := 0; err == nil; sent += len(more) {
				if sent > 64<<20 {
					t.Error("64 MiB were taken")
					return
				}
				_, err = io.WriteString(conn, more)
				time.Sleep(20 * time.Millisecond)
			}
			mutex.Lock()
			told = append(told, <-heard)
			mutex.Unlock()
		})
	})
	return told
}

func TestHeaderFlood(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		var passed atomic.Int64
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Flood") != "" {
				passed.Add(1)
			}
		}
		told := p.floods(t, "GET / HTTP/1.1\r\nHost: demo.example\r\n", strings.Repeat("Flood: "+strings.Repeat("x", 1000)+"\r\n", 16))
		for _, text := range told {
			if text != "" && !strings.HasPrefix(text, "HTTP/1.1 431 ") {
				t.Errorf("%.100s", text)
			}
		}
		if len(told) == 0 || passed.Load() != 0 {
			t.Errorf("%d floods were cut, and %d reached the application", len(told), passed.Load())
		}
	})
}

func TestBodyFlood(t *testing.T) {
	onBoth(t, "demo", func(t *testing.T, p *proxy) {
		var most atomic.Int64
		p.upstream = func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
		}
		told := p.floods(t, "POST / HTTP/1.1\r\nHost: demo.example\r\nTransfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("x", 64<<10)))
		for _, text := range told {
			if text != "" && !strings.HasPrefix(text, "HTTP/1.1 413 ") {
				t.Errorf("%.100s", text)
			}
		}
		if len(told) == 0 || most.Load() > 256<<10 {
			t.Errorf("%d endless bodies were cut; the largest that the application saw: %d", len(told), most.Load())
		}
	})
}

// TestRapidReset repeatedly opens streams and resets them at once (CVE-2023-44487). In production the attacker has no certificate and can't even send
// requests.
func TestRapidReset(t *testing.T) {
	for _, stage := range []string{"production", "demo"} {
		onBoth(t, stage, func(t *testing.T, p *proxy) {
			var reached atomic.Int64
			p.upstream = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/reset" {
					reached.Add(1)
				}
			}
			p.start()
			var connections, streams atomic.Int64
			began := time.Now()
			p.underAttack(t, func(ended <-chan bool) {
				config := p.tls(nil)
				config.NextProtos = []string{"h2"}
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						for {
							select {
							case <-ended:
								return
							default:
							}
							if conn := p.dial(config); conn != nil {
								connections.Add(1)
								streams.Add(resets(conn, ended))
								conn.Close()
							}
						}
					})
				}
				all.Wait()
			})
			took := time.Since(began)
			t.Logf("%d streams on %d connections, %d reached the application", streams.Load(), connections.Load(), reached.Load())
			if streams.Load() < 1000 {
				t.Errorf("no attack: %d streams", streams.Load())
			}
			if most := int64(120 + 30*(took.Seconds()+1)); stage == "demo" && reached.Load() > most {
				t.Errorf("%d reached the application; the limit lets %d through", reached.Load(), most)
			}
			if stage == "production" && reached.Load() != 0 {
				t.Errorf("%d without a certificate reached the application", reached.Load())
			}
		})
	}
}

// resets returns how many streams it opened and reset before the connection was closed.
func resets(conn net.Conn, ended <-chan bool) (streams int64) {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	var out bytes.Buffer
	out.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&out, nil)
	_ = framer.WriteSettings()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for id := uint32(1); id < 2_000_000; id += 2 {
		block.Reset()
		for _, field := range []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "demo.example"}, {Name: ":path", Value: "/reset"}} {
			_ = encoder.WriteField(field)
		}
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
		_ = framer.WriteRSTStream(id, http2.ErrCodeCancel)
		streams++
		if streams%50 == 0 {
			if _, err := conn.Write(out.Bytes()); err != nil {
				return streams
			}
			out.Reset()
			select {
			case <-ended:
				return streams
			default:
			}
		}
	}
	return streams
}
