package gateway

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"lockstep/proxy/gateway/internal/options"
)

// Health checks whether the gateway that runs with this environment is ready, and returns nil if it is. It is the health check of an image that
// contains only this program.
func Health(environ []string) error {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}} // ignores proxies set in the environment
	res, err := client.Get("http://" + options.AdminOf(environ) + "/readyz")
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: status %d, %s", res.StatusCode, body)
	}
	return nil
}
