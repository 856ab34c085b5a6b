package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// For any bytes in any chunks, the scanner must agree with net/http's parser or refuse.
func FuzzScannerAgreesWithNetHTTP(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\nHost: a\r\n\r\n"), uint8(7))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n"), uint8(1))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), uint8(3))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		c := &Conn{scanner: newScanner(), listener: &Listener{}}
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+int(step))
			c.scanner.scan(rest[:n], func(v verdict) { c.verdicts = append(c.verdicts, v) })
			rest = rest[n:]
		}
		reader := bufio.NewReader(bytes.NewReader(data))
		for {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if reason := c.Begin(r); reason != "" {
				return // refused and closed, which is safe
			}
			if r.Header.Get("Content-Length") != "" && len(r.TransferEncoding) > 0 {
				t.Fatal("ambiguous, and accepted")
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
	})
}

func TestScannerRefusesBothLengths(t *testing.T) {
	for step := 1; step < 80; step++ {
		var got []verdict
		s := newScanner()
		data := []byte("POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 3\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n")
		for len(data) > 0 {
			n := min(step, len(data))
			s.scan(data[:n], func(v verdict) { got = append(got, v) })
			data = data[n:]
		}
		if len(got) != 1 || !strings.Contains(got[0].reason, "both") {
			t.Fatalf("step %d: %+v", step, got)
		}
	}
}

func TestSocketIsHandedOver(t *testing.T) {
	directory, err := os.MkdirTemp("", "wire")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "s")
	first, err := ListenUnix(path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
	waiting, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	second, err := ListenUnix(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := first.Accept(); err != nil {
		t.Errorf("a connection made before is lost: %v", err)
	} else {
		conn.Close()
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first took the second's path away: %v", err)
	} else {
		conn.Close()
	}
	second.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path stays: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(path, 0o600); err == nil || !strings.Contains(fmt.Sprint(err), "not a socket") {
		t.Errorf("a file was replaced: %v", err)
	}
}
