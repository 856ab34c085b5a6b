package main

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed schema.sql
var schemaSQL string

//go:embed seed.sql
var seedSQL string

// A login is a database secret, as Secrets Manager holds it.
type login struct {
	Host     string      `json:"host"`
	Port     json.Number `json:"port"`
	Database string      `json:"dbname"`
	Username string      `json:"username"`
	Password string      `json:"password"`
}

// loginOf parses the secret in an environment variable. Errors do not contain its content.
func loginOf(getenv func(string) string, variable string) (login, error) {
	var l login
	if json.Unmarshal([]byte(getenv(variable)), &l) != nil || l.Host == "" || l.Username == "" {
		return l, fmt.Errorf("%s is not a database secret; expected JSON with host, port, dbname, username and password", variable)
	}
	return l, nil
}

// url returns a connection URL. The server's certificate is verified with the authorities in DATABASE_SSL_ROOT.
func (l login) url(getenv func(string) string) string {
	query := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {getenv("DATABASE_SSL_ROOT")}, "connect_timeout": {"60"}}
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(l.Username, l.Password), Host: net.JoinHostPort(l.Host, l.Port.String()),
		Path: "/" + l.Database, RawQuery: query.Encode()}
	return u.String()
}

// asAdmin runs work in a transaction of the database's owner, one task at a time.
func asAdmin(ctx context.Context, getenv func(string) string, work func(pgx.Tx) error) error {
	admin, err := loginOf(getenv, "ADMIN_SECRET")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, admin.url(getenv))
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('orderdesk'))"); err != nil {
			return err
		}
		return work(tx)
	})
}

// migrate creates the tables, and the application's role with its grants.
func migrate(ctx context.Context, getenv func(string) string) error {
	application, err := loginOf(getenv, "APPLICATION_SECRET")
	if err != nil {
		return err
	}
	verifier, err := scramVerifier(application.Password)
	if err != nil {
		return err
	}
	role := pgx.Identifier{application.Username}.Sanitize()
	return asAdmin(ctx, getenv, func(tx pgx.Tx) error {
		var exists bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", application.Username).Scan(&exists); err != nil {
			return err
		}
		verb := "CREATE"
		if exists {
			verb = "ALTER"
		}
		// the verifier consists of letters, digits and $:+/=
		if _, err := tx.Exec(ctx, verb+" ROLE "+role+" LOGIN PASSWORD '"+verifier+"'"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(schemaSQL, role))
		return err
	})
}

// scramVerifier returns what the server stores of a password (RFC 5803), so that the password itself does not appear in its log.
func scramVerifier(password string) (string, error) {
	const iterations = 4096
	salt := make([]byte, 16)
	rand.Read(salt)
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text(salt), text(stored[:]), text(sign("Server Key"))), nil
}

// seed inserts the price lists, unless there are any.
func seed(ctx context.Context, getenv func(string) string) error {
	return asAdmin(ctx, getenv, func(tx pgx.Tx) error {
		var filled bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM "Order Desk"."priceList")`).Scan(&filled); err != nil || filled {
			return err
		}
		_, err := tx.Exec(ctx, seedSQL)
		return err
	})
}
