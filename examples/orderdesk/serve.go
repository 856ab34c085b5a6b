package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// finish is how long running requests may take after the drain delay.
const finish = 15 * time.Second

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Order desk</title></head>
<body><h1>Order desk, {{.Edition}} edition</h1><p>Shard {{.Shard}}, release {{.Release}}</p>
<table><tr><th>Price list</th><th>Valid from</th><th>Articles</th><th>Most expensive</th></tr>
{{range .Lists}}<tr><td>{{.Name}}</td><td>{{.ValidFrom.Format "2006-01-02"}}</td><td>{{.Articles}}</td><td>{{.Highest}} {{.Currency}}</td></tr>
{{end}}</table></body></html>
`))

// A list is a row of the page.
type list struct {
	Name      string
	Currency  string
	ValidFrom time.Time
	Articles  int
	Highest   string
}

const lists = `SELECT list."listName", list."Currency", list."validFrom", count(item."listId")::int, coalesce(max(item."unitPrice"), 0)::text
FROM "Order Desk"."priceList" AS list LEFT JOIN "Order Desk"."lineItem" AS item ON item."listId" = list."id"
GROUP BY list."id" ORDER BY list."id"`

// serve answers until ctx is done.
func serve(ctx context.Context, getenv func(string) string) error {
	application, err := loginOf(getenv, "DATABASE_SECRET")
	if err != nil {
		return err
	}
	// DRAIN_DELAY is an ISO 8601 duration such as PT25S
	drain, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(getenv("DRAIN_DELAY"), "PT")))
	if err != nil {
		return fmt.Errorf("DRAIN_DELAY is %q; expected a duration such as PT25S", getenv("DRAIN_DELAY"))
	}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	database, err := pgxpool.New(ctx, application.url(getenv))
	if err != nil {
		return err
	}
	defer database.Close()

	pages := http.NewServeMux()
	pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := database.Ping(r.Context()); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		}
	})
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		rows, _ := database.Query(r.Context(), lists)
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[list])
		if err != nil {
			slog.Error("cannot read the price lists", "error", err.Error())
			http.Error(w, "The price lists cannot be read at the moment.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page.Execute(w, map[string]any{"Edition": getenv("EDITION"), "Shard": getenv("SHARD"), "Release": getenv("RELEASE"), "Lists": found})
	})
	alive := http.NewServeMux()
	alive.HandleFunc("GET /alive", func(http.ResponseWriter, *http.Request) {})

	server := newServer(net.JoinHostPort(getenv("LISTEN_ADDRESS"), getenv("PORT")), logged(pages))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	health := newServer(net.JoinHostPort("127.0.0.1", getenv("HEALTH_PORT")), alive)
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServeTLS("", "") }()
	go func() { failed <- health.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	time.Sleep(drain) // clients that have not noticed yet still come
	last, cancel := context.WithTimeout(context.Background(), finish)
	defer cancel()
	return errors.Join(server.Shutdown(last), health.Shutdown(last))
}

func newServer(address string, handler http.Handler) *http.Server {
	return &http.Server{Addr: address, Handler: handler, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second}
}

// logged writes a line for each request; the platform counts those with a status of 500 or more.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		slog.Info("answered", "method", r.Method, "path", r.URL.Path, "status", recorder.status)
	})
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// selfSigned returns a new certificate. Proxies do not verify it: security groups decide who may connect.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
