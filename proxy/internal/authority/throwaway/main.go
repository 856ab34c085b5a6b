// Command throwaway writes a set of settings that is valid for an hour into a directory, for build-images.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lockstep/proxy/internal/authority"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "expected a directory")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(directory string) error {
	a, err := authority.New("throw-away", time.Hour)
	if err != nil {
		return err
	}
	pair, err := a.Server("localhost")
	if err != nil {
		return err
	}
	list, err := a.RevocationList(1, a.Certificate.NotAfter)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"server.pem": pair.Certificate, "server.key": pair.Key, "client-authority.pem": a.PEM(), "revoked.pem": list,
		"routes.json": []byte(`{"edition": "demo", "shards": {"one": {"upstream": "https://127.0.0.1:8443"}}, "default": "one"}`)} {
		if err := os.WriteFile(filepath.Join(directory, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
