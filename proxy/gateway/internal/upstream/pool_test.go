package upstream

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"lockstep/proxy/gateway/internal/exchange"
	"lockstep/proxy/gateway/internal/options"
	"lockstep/proxy/gateway/internal/telemetry"
	"lockstep/proxy/internal/routing"
)

// An upstream whose health changes during the selection is neither omitted nor listed twice.
func TestCandidatesWhileHealthChanges(t *testing.T) {
	p := New(options.Options{HealthInterval: time.Hour, HealthTimeout: time.Second, DialTimeout: time.Second, Fallback: true}, slog.New(slog.NewTextHandler(io.Discard, nil)), telemetry.New("demo"))
	defer p.Close()
	shard := &routing.Shard{Name: "one", Stable: routing.Upstream{Address: "unix:/nowhere/stable", Health: "/"}, Canary: routing.Upstream{Address: "unix:/nowhere/canary", Health: "/"},
		Fallback: routing.Upstream{Address: "unix:/nowhere/fallback", Health: "/"}}
	e := &exchange.Exchange{Shard: shard, Canary: true}
	p.candidates(e) // starts the upstreams
	members := *p.members.Load()
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, m := range members {
				m.down.Store(!m.down.Load())
			}
		}
	}()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		list := p.candidates(e)
		seen := map[string]bool{}
		for _, c := range list {
			seen[c.role] = true
		}
		if len(list) != 3 || len(seen) != 3 {
			t.Fatalf("%d candidates, %v", len(list), seen)
		}
	}
	close(stop)
	<-stopped
	for down, want := range map[string]string{"": "canary stable fallback", "canary": "stable fallback canary", "canary stable": "fallback canary stable", "canary stable fallback": "canary stable fallback"} {
		for u, m := range members {
			m.down.Store(u == shard.Canary && strings.Contains(down, "canary") || u == shard.Stable && strings.Contains(down, "stable") || u == shard.Fallback && strings.Contains(down, "fallback"))
		}
		got := ""
		for _, c := range p.candidates(e) {
			got += " " + c.role
		}
		if got != " "+want {
			t.Errorf("down %q: %s", down, got)
		}
	}
}
