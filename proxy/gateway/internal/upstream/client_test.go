package upstream

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lockstep/proxy/gateway/internal/options"
)

// script is an upstream that serves one connection after another with serve, which receives the connection's number.
type script struct {
	client *client
	served atomic.Int64
	early  func(int, http.Header)
}

func scripted(t *testing.T, secure bool, serve func(number int, conn net.Conn, reader *bufio.Reader)) *script {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		server := httptest.NewUnstartedServer(nil)
		server.StartTLS()
		server.Close()
		listener = tls.NewListener(listener, &tls.Config{Certificates: server.TLS.Certificates})
	}
	s := &script{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			number := int(s.served.Add(1))
			go func() {
				defer conn.Close()
				serve(number, conn, bufio.NewReader(conn))
			}()
		}
	}()
	dialer := &net.Dialer{Timeout: time.Second}
	address := listener.Addr().String()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialSocket(ctx, dialer, network, address)
	}
	dialTLS := (&Pool{options: options.Options{DialTimeout: time.Second}}).dialTLS(dial)
	s.client = &client{limit: 4, age: time.Minute, header: 5 * time.Second, headerBytes: maxHeader, dial: func(ctx context.Context) (net.Conn, error) {
		if secure {
			return dialTLS(ctx, "tcp", address)
		}
		return dial(ctx, "tcp", address)
	}}
	t.Cleanup(func() {
		listener.Close()
		s.client.CloseIdleConnections()
	})
	return s
}

func second(http.Header) time.Duration { return time.Second }

func (s *script) ask(ctx context.Context, method string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://application/path?q=1", nil)
	if err != nil {
		return 0, "", err
	}
	res, err := s.client.roundTrip(ctx, r, observer{second, s.early})
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

func (s *script) idle() int {
	s.client.mutex.Lock()
	defer s.client.mutex.Unlock()
	return len(s.client.idle)
}

func request(reader *bufio.Reader) bool {
	_, err := http.ReadRequest(reader)
	return err == nil
}

func overBoth(t *testing.T, test func(t *testing.T, secure bool)) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, secure)
		})
	}
}

const plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// Tests responses, and which of them leave a reusable connection.
func TestConnectionsAreKept(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		name, method, bytes string
		status              int
		body                string
		kept                bool
	}{
		{"a length", "GET", plain, 200, "ok", true},
		{"a length of nothing", "POST", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, "", true},
		{"a long body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long, 200, long, true},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "ok", true},
		{"trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n", 200, "ok", true},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, "", true},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304, "", true},
		{"keep-alive", "GET", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
		{"100 and 103 before", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + plain, 200, "ok", true},
		{"bare line feeds", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", true},
		{"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"length and chunks", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", false},
		{"length and chunks after a 1xx", "GET", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", false},
		{"more than its length", "GET", plain + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", 200, "ok", false},
		{"more than its chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP", 200, "ok", false},
		{"a body of HEAD", "HEAD", plain, 200, "", false},
		{"a body of 204", "GET", "HTTP/1.1 204 No Content\r\n\r\nbody", 204, "", false},
		{"lengths that disagree", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", 0, "", false},
		{"101", "GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 0, "", false},
		{"large header", "GET", "HTTP/1.1 200 OK\r\nA: " + long + "\r\nContent-Length: 2\r\n\r\nok", 0, "", false},
		{"many headers before", "GET", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 4000) + plain, 0, "", false},
		{"bad chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\nok\r\n0\r\n\r\n", 200, "error", false},
		{"bad length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", 0, "", false},
		{"NUL in a value", "GET", "HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nok", 0, "", false},
	} {
		for _, pieces := range []int{1 << 20, 7} {
			if pieces == 7 && len(test.bytes) > 1000 {
				continue
			}
			t.Run(fmt.Sprint(test.name, "/", pieces), func(t *testing.T) {
				overBoth(t, func(t *testing.T, secure bool) {
					s := scripted(t, secure, func(_ int, conn net.Conn, reader *bufio.Reader) {
						for request(reader) {
							for rest := test.bytes; rest != ""; {
								n := min(pieces, len(rest))
								if _, err := io.WriteString(conn, rest[:n]); err != nil {
									return
								}
								rest = rest[n:]
							}
						}
					})
					status, body, err := s.ask(t.Context(), test.method)
					if status != test.status || test.body != "error" && body != test.body || (err != nil) != (test.status == 0 || test.body == "error") {
						t.Fatalf("%d %.100q %v", status, body, err)
					}
					if pieces == 7 && !test.kept {
						return // late data is detected before the next request; see TestNothingPoisonsTheNext
					}
					if kept := s.idle() == 1; kept != test.kept {
						t.Errorf("kept: %v", kept)
					}
					if test.kept {
						if status, body, err := s.ask(t.Context(), test.method); status != test.status || body != test.body || err != nil || s.served.Load() != 1 {
							t.Errorf("again: %d %.100q %v on %d connections", status, body, err, s.served.Load())
						}
					}
				})
			})
		}
	}
}

// Data that arrives on an idle connection is not a response to any request.
func TestNothingPoisonsTheNext(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		var asked sync.Map
		poisoned := make(chan bool)
		s := scripted(t, secure, func(number int, conn net.Conn, reader *bufio.Reader) {
			for n := 0; request(reader); n++ {
				asked.Store(fmt.Sprint(number, ".", n), true)
				io.WriteString(conn, plain)
				if number == 1 {
					time.Sleep(50 * time.Millisecond)
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
					close(poisoned)
				}
			}
		})
		if _, body, err := s.ask(t.Context(), "GET"); body != "ok" || s.idle() != 1 {
			t.Fatalf("%q %v", body, err)
		}
		<-poisoned
		time.Sleep(50 * time.Millisecond)
		// Also for a POST, because nothing was sent on the first connection.
		if _, body, err := s.ask(t.Context(), "POST"); body != "ok" || s.served.Load() != 2 {
			t.Errorf("%q %v on %d connections", body, err, s.served.Load())
		}
		if _, ok := asked.Load("1.1"); ok {
			t.Error("the first connection was used again")
		}
	})
}

// If the upstream has closed an idle connection, no request fails. If it closes one during a request, only requests that can't be repeated fail.
func TestConnectionsThatEnd(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		closed := scripted(t, secure, func(_ int, conn net.Conn, reader *bufio.Reader) {
			request(reader)
			io.WriteString(conn, plain)
		})
		for range 3 {
			if _, body, err := closed.ask(t.Context(), "POST"); body != "ok" {
				t.Fatalf("%q %v", body, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if closed.served.Load() != 3 {
			t.Errorf("%d connections", closed.served.Load())
		}
		for method, works := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "POST": false, "DELETE": false} {
			var requests atomic.Int64
			killing := scripted(t, secure, func(number int, conn net.Conn, reader *bufio.Reader) {
				for request(reader) {
					if requests.Add(1) == 2 {
						return
					}
					io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			})
			if _, _, err := killing.ask(t.Context(), method); err != nil {
				t.Fatal(err)
			}
			_, _, err := killing.ask(t.Context(), method)
			if (err == nil) != works || requests.Load() != map[bool]int64{true: 3, false: 2}[works] {
				t.Errorf("%s: %v after %d requests", method, err, requests.Load())
			}
		}
		// Requests are not repeated on a new connection, or once a response began.
		dying := scripted(t, secure, func(number int, conn net.Conn, reader *bufio.Reader) {
			for n := 0; request(reader); n++ {
				if n == 1 {
					io.WriteString(conn, "HTTP/1.1 200")
					return
				}
				io.WriteString(conn, plain)
			}
		})
		dying.ask(t.Context(), "GET")
		if _, _, err := dying.ask(t.Context(), "GET"); !errors.Is(err, io.ErrUnexpectedEOF) || dying.served.Load() != 1 {
			t.Errorf("%v on %d connections", err, dying.served.Load())
		}
	})
}

// Cancellation interrupts waiting, and a connection with an unfinished exchange is not reused.
func TestGoing(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		for name, bytes := range map[string]string{"header": "", "within the header": "HTTP/1.1 200 OK\r\n", "body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart",
			"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"} {
			begun := make(chan bool, 1)
			s := scripted(t, secure, func(number int, conn net.Conn, reader *bufio.Reader) {
				for n := 0; request(reader); n++ {
					if n == 0 {
						io.WriteString(conn, plain)
						continue
					}
					io.WriteString(conn, bytes)
					begun <- true
				}
			})
			s.ask(t.Context(), "GET") // the next request uses a kept connection
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-begun
				time.Sleep(20 * time.Millisecond)
				cancel()
			}()
			began := time.Now()
			_, _, err := s.ask(ctx, "GET")
			if !errors.Is(err, context.Canceled) || time.Since(began) > 900*time.Millisecond || s.idle() != 0 || s.served.Load() != 1 {
				t.Errorf("%s: %v after %v, %d idle", name, err, time.Since(began), s.idle())
			}
		}
	})
}

func TestSilence(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		for name, test := range map[string]struct {
			bytes string
			is    error
		}{
			"header":            {"", nil},
			"within the header": {"HTTP/1.1 200 OK\r\n", nil},
			"body":              {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", ErrSilent},
			"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", ErrSilent},
		} {
			s := scripted(t, secure, func(_ int, conn net.Conn, reader *bufio.Reader) {
				request(reader)
				io.WriteString(conn, test.bytes)
				request(reader)
			})
			s.client.header = 300 * time.Millisecond
			_, _, err := s.ask(t.Context(), "GET")
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() || test.is != nil && !errors.Is(err, test.is) || s.served.Load() != 1 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestIdleConnections(t *testing.T) {
	var together sync.WaitGroup
	s := scripted(t, false, func(_ int, conn net.Conn, reader *bufio.Reader) {
		for request(reader) {
			together.Done()
			together.Wait()
			io.WriteString(conn, plain)
		}
	})
	s.client.age = 200 * time.Millisecond
	together.Add(6)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, body, err := s.ask(t.Context(), "GET"); body != "ok" {
				t.Error(body, err)
			}
		})
	}
	all.Wait()
	if s.idle() != s.client.limit {
		t.Errorf("%d idle", s.idle())
	}
	for end := time.Now().Add(5 * time.Second); s.idle() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d stay", s.idle())
		}
	}
	together.Add(1)
	if _, body, err := s.ask(t.Context(), "GET"); body != "ok" || s.served.Load() != 7 {
		t.Error(body, err, s.served.Load())
	}
}

func TestEarlyAnswersAreTold(t *testing.T) {
	s := scripted(t, false, func(_ int, conn net.Conn, reader *bufio.Reader) {
		request(reader)
		io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"+plain)
	})
	var told []string
	s.early = func(status int, h http.Header) { told = append(told, fmt.Sprint(status, h.Get("Link"))) }
	if _, body, err := s.ask(t.Context(), "GET"); body != "ok" || len(told) != 1 || told[0] != "103</style.css>" {
		t.Error(body, err, told)
	}
}

// A request is written like by net/http, and never so that it could be read as two.
func TestRequestsAreWritten(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		r, _ := http.NewRequest(method, "http://application/a%20b/%2F?q=%zz;x", nil)
		r.Header = http.Header{"A": {"1", " 2\t"}, "User-Agent": {""}, "Cookie": {"a=b; c=ü"}, "Content-Length": {"5"}, "Transfer-Encoding": {"chunked"}}
		var theirs bytes.Buffer
		if err := r.Write(&theirs); err != nil {
			t.Fatal(err)
		}
		ours, err := appendHead(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		one, err := http.ReadRequest(bufio.NewReader(&theirs))
		if err != nil {
			t.Fatal(err)
		}
		other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(ours)))
		if err != nil || !reflect.DeepEqual(one, other) {
			t.Errorf("%s: %q %v", method, ours, err)
		}
	}
	for _, break_ := range []func(*http.Request){
		func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nA:" },
		func(r *http.Request) { r.Host = "a\r\nb: c" },
		func(r *http.Request) { r.Header["A"] = []string{"b\r\nc: d"} },
		func(r *http.Request) { r.Header["A\r\nB"] = []string{"c"} },
		func(r *http.Request) { r.Header["A"] = []string{"\x00"} },
		func(r *http.Request) { r.URL.RawQuery = "a b" },
		func(r *http.Request) { r.URL.RawQuery = "a\r\n" },
	} {
		r, _ := http.NewRequest("GET", "http://application/", nil)
		break_(r)
		if head, err := appendHead(nil, r); err == nil {
			t.Errorf("%q", head)
		}
	}
}

// A response that is parsed as plain must equal net/http's.
func FuzzPlainAgreesWithNetHTTP(f *testing.F) {
	f.Add([]byte(plain))
	f.Add([]byte("HTTP/1.1 404 Not Found\r\nserver: x\r\nContent-Type:text/html \r\nSet-Cookie: a\r\nset-cookie: b\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabcd"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n c\r\n\r\nok"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\nA: b\r\n\r\nok"))
	f.Add([]byte("HTTP/1.1 400 \r\nA:\n\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, n := parsePlain(data)
		if ours == nil {
			return
		}
		r, _ := http.NewRequest("GET", "http://application/", nil)
		reader := bufio.NewReader(bytes.NewReader(data))
		theirs, err := http.ReadResponse(reader, r)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		if ours.Status != theirs.Status || ours.StatusCode != theirs.StatusCode || ours.ContentLength != theirs.ContentLength || theirs.Close ||
			ours.Proto != theirs.Proto || !reflect.DeepEqual(ours.Header, theirs.Header) {
			t.Fatalf("%+v\n%+v", ours, theirs)
		}
		body, _ := io.ReadAll(theirs.Body)
		if rest := data[n:]; !bytes.Equal(body, rest[:min(int64(len(rest)), ours.ContentLength)]) {
			t.Fatalf("%q and %q", body, rest)
		}
	})
}

// A header that exceeds the socket's buffer is sent too, within the timeout for a response.
func TestHeadersThatDoNotFit(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		read := make(chan bool, 1)
		s := scripted(t, secure, func(_ int, conn net.Conn, reader *bufio.Reader) {
			for n := 0; ; n++ {
				if n == 1 {
					time.Sleep(100 * time.Millisecond)
				}
				if n == 2 {
					<-read
					return
				}
				r, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%05d", len(r.Header.Get("A")))
			}
		})
		defer close(read)
		s.client.header = time.Second
		ask := func(size int) (string, error) {
			r, _ := http.NewRequest("GET", "http://application/", nil)
			r.Header["A"] = []string{strings.Repeat("x", size)}
			res, err := s.client.roundTrip(t.Context(), r, observer{silence: second})
			if err != nil {
				return "", err
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			return string(body), err
		}
		if body, err := ask(10); body != "00010" {
			t.Fatal(body, err)
		}
		tcp := s.client.idle[0].socket.Conn.(*net.TCPConn)
		if err := tcp.SetWriteBuffer(1); err != nil {
			t.Fatal(err)
		}
		if body, err := ask(40_000); body != "40000" {
			t.Error(body, err)
		}
		began := time.Now()
		_, err := ask(1 << 20)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) > 8*time.Second || s.served.Load() != 1 {
			t.Errorf("%v after %v on %d connections", err, time.Since(began), s.served.Load())
		}
	})
}
