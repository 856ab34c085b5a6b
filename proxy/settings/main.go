// Command settings copies certificates, revocation lists and routes from S3 and Secrets Manager to the files that nginx and the gateway read, and
// keeps them up to date. A file that fails validation never replaces a valid one. See README.md.
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

// run returns the exit status: 0 on success, 1 if it fails or is not healthy, 2 if the configuration is invalid.
func run(args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("settings", flag.ContinueOnError)
	flags.SetOutput(stderr)
	health := flags.Bool("health", false, "check whether all files exist and are kept up to date, and exit with 0 if so, 1 if not")
	once := flags.Bool("once", false, "poll once and exit with 0 if all files exist, 1 if not")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	o, err := parse(environ)
	if err != nil {
		fmt.Fprintf(stderr, "the configuration is invalid:\n%v\n", err)
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
	k := &keeper{options: o, source: from, directory: directory(o.Directory), log: slog.New(slog.NewJSONHandler(stdout, nil)), logged: map[string]string{}}
	if *once {
		if !k.poll(ctx) {
			return 1
		}
		return 0
	}
	for {
		k.poll(ctx)
		select {
		case <-ctx.Done():
			return 0
		case <-time.After(o.Poll):
		}
	}
}
