package middleware

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/page"
)

// MaxLimiters bounds the memory that clients can consume by inventing tenants. Beyond it, new tenants share one
// limit until other limiters have become idle.
const MaxLimiters = 20_000

// RateLimit responds with 429 to a tenant that sends more than perSecond requests per second, beyond an initial burst. Clients without a
// tenant are limited by address. 0 means no limit. gauge is set to the number of limiters.
func RateLimit(perSecond float64, burst int, gauge prometheus.Gauge, next http.Handler) http.Handler {
	if perSecond == 0 {
		return next
	}
	l := &limiters{limit: rate.Limit(perSecond), burst: burst, all: map[string]*rate.Limiter{}, overflow: rate.NewLimiter(rate.Limit(perSecond), burst), gauge: gauge}
	retry := strconv.Itoa(int(math.Ceil(max(1, 1/perSecond))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange.From(r.Context())
		key := "t:" + e.Tenant
		if e.Tenant == "" {
			key = "a:" + e.Client
		}
		if !l.of(key, e.Started).AllowN(e.Started, 1) {
			w.Header().Set("Retry-After", retry)
			e.Refuse(r, page.RateLimited, nil)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type limiters struct {
	limit    rate.Limit
	burst    int
	gauge    prometheus.Gauge
	overflow *rate.Limiter

	mutex sync.Mutex
	all   map[string]*rate.Limiter
	swept time.Time
}

func (l *limiters) of(key string, now time.Time) *rate.Limiter {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if limiter := l.all[key]; limiter != nil {
		return limiter
	}
	if len(l.all) >= MaxLimiters || now.Sub(l.swept) > time.Minute {
		l.sweep(now)
	}
	if len(l.all) >= MaxLimiters {
		return l.overflow
	}
	limiter := rate.NewLimiter(l.limit, l.burst)
	l.all[key] = limiter
	l.gauge.Set(float64(len(l.all)))
	return limiter
}

// sweep deletes limiters that have refilled their burst, which changes nothing for their tenants. It runs at most once a second, because it
// visits all limiters.
func (l *limiters) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for key, limiter := range l.all {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.all, key)
		}
	}
	l.gauge.Set(float64(len(l.all)))
}
