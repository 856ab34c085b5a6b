package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"lockstep/proxy/internal/testlog"
)

// TestMain runs the program itself if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("BE_SETTINGS") == "on" {
		main()
	}
	os.Exit(m.Run())
}

type process struct {
	command *exec.Cmd
	log     *testlog.Buffer
}

func startKeeper(t *testing.T, c *cloud) *process {
	p := &process{command: exec.Command(os.Args[0]), log: &testlog.Buffer{}}
	p.command.Env = append(c.environ, "BE_SETTINGS=on")
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() }) // fails if it has exited
	return p
}

func (p *process) wait(t *testing.T, what string, is func(log string) bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if is(p.log.String()) {
			return
		}
	}
	t.Fatalf("waited in vain: %s\n%s", what, p.log.String())
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	if err := p.command.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.log.String())
	}
}
