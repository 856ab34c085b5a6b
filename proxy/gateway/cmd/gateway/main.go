// Command gateway is the reverse proxy between nginx and the shards. It is configured by environment variables and a routing file; see
// README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"lockstep/proxy/gateway/internal/gateway"
)

func main() {
	tune()
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// tune sets defaults for GOGC and GOMAXPROCS; the environment takes precedence. bench/proxy measures both.
func tune() {
	// The live heap is a few MiB. With the default, the collector would run dozens of times a second under load.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	// nginx runs on the same CPUs, so more threads cost more in spinning for work than they gain.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}

// run returns the exit status: 0 on success; 1 if serving or draining failed, or if -health finds the gateway not ready; 2 if the configuration is
// invalid.
func run(args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(stderr)
	configTest := flags.Bool("config-test", false, "validate the environment and the routing file, print every problem, and exit")
	health := flags.Bool("health", false, "check whether the running gateway is ready, and exit with 0 if it is, 1 if not")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "given %q, expected no arguments\n", flags.Args())
		return 2
	}
	if *health {
		if err := gateway.Health(environ); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	if err := gateway.Check(environ); err != nil {
		fmt.Fprintf(stderr, "the configuration is invalid:\n%v\n", err)
		return 2
	}
	if *configTest {
		fmt.Fprintln(stdout, "the configuration is valid")
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	m := &gateway.Main{Environ: environ, Log: stdout}
	if err := m.Run(); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	status := 0
	select {
	case <-ctx.Done():
		stop() // a second signal ends the process at once
	case err := <-m.Failed():
		fmt.Fprintln(stderr, err)
		status = 1
	}
	if err := m.Close(); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return status
}
