// Command throwaway writes a set of settings and a client's certificate, valid for a day, into a directory, for build-images and bench/proxy.
package main

import (
	"crypto/x509/pkix"
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
	a, err := authority.New("throw-away", 24*time.Hour)
	if err != nil {
		return err
	}
	pair, err := a.Server("localhost", "demo-1.localhost")
	if err != nil {
		return err
	}
	client, err := a.Client(pkix.Name{Organization: []string{"Riverside Clinic"}, CommonName: "workstation-1"}, a.Certificate.NotAfter)
	if err != nil {
		return err
	}
	list, err := a.RevocationList(1, a.Certificate.NotAfter)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"server.pem": pair.Certificate, "server.key": pair.Key, "client-authority.pem": a.PEM(), "revoked.pem": list,
		"client.pem": client.Certificate, "client.key": client.Key,
		"routes.json": []byte(`{"edition": "demo", "shards": {"one": {"upstream": "https://127.0.0.1:8443"}}, "default": "one"}`)} {
		if err := os.WriteFile(filepath.Join(directory, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
