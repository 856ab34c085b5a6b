// Command settings brings certificates, revocations and routes from S3 and Secrets Manager to the files that nginx and the gateway read, and
// keeps them fresh. What does not pass its check never replaces what did. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run answers the process's exit status: 0, 1 when it cannot work or is not healthy, 2 when the configuration is wrong.
func run(args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("settings", flag.ContinueOnError)
	flags.SetOutput(stderr)
	health := flags.Bool("health", false, "tell whether all files are there and looked after, and end: 0 if so, 1 if not")
	once := flags.Bool("once", false, "look once and end: 0 if all files are there, 1 if not")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	o, err := parse(environ)
	if err != nil {
		fmt.Fprintf(stderr, "the configuration is wrong:\n%v\n", err)
		return 2
	}
	if *health {
		if err := checkHealth(o, time.Now()); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	from, err := newSource(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	k := &keeper{options: o, source: from, directory: directory(o.Directory), log: slog.New(slog.NewJSONHandler(stdout, nil)), told: map[string]string{}}
	if *once {
		if !k.look(ctx) {
			return 1
		}
		return 0
	}
	for {
		k.look(ctx)
		select {
		case <-ctx.Done():
			return 0
		case <-time.After(o.Poll):
		}
	}
}
