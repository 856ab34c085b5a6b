// Command plain is a minimal reverse proxy in Go: httputil.ReverseProxy between a Unix socket and one upstream. Its cost is the
// lower bound for the gateway.
package main

import (
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatalf("given %d arguments, expected the path of a socket and the upstream's URL", len(os.Args)-1)
	}
	upstream, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(upstream)
				r.Out.Host = r.In.Host
				r.SetXForwarded()
			},
			Transport: &http.Transport{
				MaxIdleConnsPerHost: 1024, // with net/http's default of two, this would measure handshakes
				DisableCompression:  true,
				TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // like all contenders
			},
		},
	}
	log.Fatal(server.Serve(listener))
}
