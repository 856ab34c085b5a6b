// Orderdesk is a sample product: it shows price lists, which are master data. ../../docs/product.md describes the environment of its commands.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "serve":
		err = serve(ctx, os.Getenv)
	case "migrate":
		err = migrate(ctx, os.Getenv)
	case "seed":
		// there are no rows of visitors
		if len(os.Args) == 3 && os.Args[2] == "master" {
			err = seed(ctx, os.Getenv)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: orderdesk serve | migrate | seed master | seed visitors")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "orderdesk: %s: %v\n", command, err)
		os.Exit(1)
	}
}
