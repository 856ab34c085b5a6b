package middleware

import (
	"errors"
	"io"
	"net/http"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
)

// Body limits a client's body to limit bytes (0 means no limit) and pauses to timeout. Beyond a limit, reading fails and the
// exchange's BodyError is set.
func Body(limit int64, timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		e := exchange.From(r.Context())
		if limit > 0 && r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			e.Refuse(r, page.BodyTooLarge, nil)
			return
		}
		control := http.NewResponseController(w)
		if r.ContentLength < 0 {
			// A body without a length may be one direction of a two-way stream, so the response must not wait for its end.
			if err := control.EnableFullDuplex(); err != nil {
				e.Refuse(r, page.Internal, err)
				return
			}
		}
		if limit > 0 {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		body := &timedBody{ReadCloser: r.Body, control: control, timeout: timeout, exchange: e}
		r.Body = body
		next.ServeHTTP(w, r)
		if !body.ended && e.Status != http.StatusSwitchingProtocols {
			// The server drains the body to reuse the connection; don't wait for a client that has stopped sending.
			_ = control.SetReadDeadline(time.Now().Add(timeout)) // fails if the connection is closed
		}
	})
}

type timedBody struct {
	io.ReadCloser
	control  *http.ResponseController
	timeout  time.Duration
	exchange *exchange.Exchange
	ended    bool
}

func (b *timedBody) Read(buffer []byte) (int, error) {
	if err := b.control.SetReadDeadline(time.Now().Add(b.timeout)); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(buffer)
	// Also at the end: the server's background read waits for the client to disconnect, without a limit.
	_ = b.control.SetReadDeadline(time.Time{})
	if err != nil {
		b.ended = true
		if !errors.Is(err, io.EOF) {
			b.exchange.BodyError.CompareAndSwap(nil, &err)
		}
	}
	return n, err
}
