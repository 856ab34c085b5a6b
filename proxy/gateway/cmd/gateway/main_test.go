package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the program itself if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("BE_THE_GATEWAY") == "on" {
		main()
	}
	os.Exit(m.Run())
}

func TestConfigTest(t *testing.T) {
	good := filepath.Join(t.TempDir(), "routes.json")
	if err := os.WriteFile(good, []byte(`{"edition": "demo", "shards": {"a": {"upstream": "http://127.0.0.1:1"}}, "default": "a"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := good + ".bad"
	if err := os.WriteFile(bad, []byte(`{"edition": "demo", "shards": {"a": {}}, "default": "b"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		args     []string
		environ  []string
		status   int
		mentions []string
	}{
		{"good", []string{"--config-test"}, []string{"EDITION=demo", "GATEWAY_ROUTES=" + good}, 0, []string{"is valid"}},
		{"environment and file", []string{"--config-test"}, []string{"EDITION=demo", "GATEWAY_ROUTES=" + bad, "GATEWAY_CANARY=x", "GATEWAY_TYPO=1"}, 2,
			[]string{"GATEWAY_CANARY", "GATEWAY_TYPO", "shards.a.upstream", "default"}},
		{"starting is refused too", nil, []string{"EDITION=demo", "GATEWAY_ROUTES=" + bad}, 2, []string{"shards.a.upstream"}},
		{"no file", []string{"--config-test"}, []string{"EDITION=demo", "GATEWAY_ROUTES=/nowhere"}, 2, []string{"/nowhere"}},
		{"nothing", []string{"--config-test"}, nil, 2, []string{"EDITION", "GATEWAY_ROUTES"}},
		{"arguments", []string{"serve"}, nil, 2, []string{"serve"}},
		{"unknown flag", []string{"--config-tst"}, nil, 2, []string{"config-tst"}},
	} {
		var out bytes.Buffer
		if status := run(test.args, test.environ, &out, &out); status != test.status {
			t.Errorf("%s: status %d", test.name, status)
		}
		for _, word := range test.mentions {
			if !strings.Contains(out.String(), word) {
				t.Errorf("%s: no mention of %s in %s", test.name, word, out.String())
			}
		}
	}
}

// Tests a real process that receives SIGTERM while a request runs.
func TestSIGTERM(t *testing.T) {
	arrived := make(chan bool, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- true
			time.Sleep(300 * time.Millisecond)
		}
		fmt.Fprint(w, "done")
	}))
	defer upstream.Close()
	routes := filepath.Join(t.TempDir(), "routes.json")
	if err := os.WriteFile(routes, fmt.Appendf(nil, `{"edition": "demo", "shards": {"a": {"upstream": %q}}, "default": "a"}`, upstream.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()
	var log bytes.Buffer
	command := exec.Command(os.Args[0])
	command.Env = []string{"BE_THE_GATEWAY=on", "EDITION=demo", "GATEWAY_ROUTES=" + routes, "GATEWAY_LISTEN=" + at, "GATEWAY_ADMIN=127.0.0.1:0", "GATEWAY_DRAIN_DELAY=50ms"}
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill() }() // fails if it has exited
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get("http://" + at + "/"); err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("it does not come up")
		}
	}
	answer := make(chan error, 1)
	go func() {
		res, err := http.Get("http://" + at + "/slow")
		if err == nil {
			res.Body.Close()
			if res.StatusCode != 200 {
				err = fmt.Errorf("status %d", res.StatusCode)
			}
		}
		answer <- err
	}()
	<-arrived
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Errorf("the running request failed: %v", err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if !strings.Contains(log.String(), `"msg":"drained"`) {
		t.Errorf("%s", log.String())
	}
}
