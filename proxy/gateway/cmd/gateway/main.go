// Command gateway is the reverse proxy between nginx and the shards. It is configured by its environment and a routing file; see
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

// tune chooses what Go's runtime cannot know; GOGC and GOMAXPROCS of the environment have precedence. bench/proxy measures both.
func tune() {
	// What lives is a few MiB, and would be looked through dozens of times a second under load for the sake of as little.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	// nginx works beside it on the same processors. Threads that wait for work on all of them take more than they give.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}

// run answers the process's exit status: 0, 1 when serving or draining failed or the gateway asked for is not ready, 2 when the configuration is wrong.
func run(args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(stderr)
	configTest := flags.Bool("config-test", false, "validate environment and routing file, list every problem, and end")
	health := flags.Bool("health", false, "ask the running gateway whether it is ready, and end: 0 if it is, 1 if not")
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
		fmt.Fprintf(stderr, "the configuration is wrong:\n%v\n", err)
		return 2
	}
	if *configTest {
		fmt.Fprintln(stdout, "the configuration is good")
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
