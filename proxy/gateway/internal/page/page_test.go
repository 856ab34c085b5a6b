package page

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEveryPage(t *testing.T) {
	codes := map[string]bool{}
	for _, p := range []Problem{BadRequest("<script>"), MethodNotAllowed, NotRouted, Timeout, BodyTooLarge, RateLimited, HeadersTooLarge,
		SignUpClosed, Internal, Unreachable, UpstreamTimeout, VersionNotSupported, Maintenance(""), Parse(501), Parse(417)} {
		if codes[p.Code] {
			t.Errorf("two pages are called %s", p.Code)
		}
		codes[p.Code] = true
		for _, accept := range []string{"text/html", "application/json"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			p.Write(w, r, "id-1")
			body := w.Body.String()
			if w.Code != p.Status || !strings.HasPrefix(w.Header().Get("Content-Type"), accept) || !strings.Contains(body, "id-1") {
				t.Errorf("%s as %s: %d %s", p.Code, accept, w.Code, body)
			}
			if accept == "text/html" && strings.Contains(body, "<script") {
				t.Errorf("unescaped: %s", body)
			}
			if accept == "application/json" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("not JSON: %s", body)
			}
		}
	}
	r := httptest.NewRequest("HEAD", "/", nil)
	w := httptest.NewRecorder()
	NotRouted.Write(w, r, "")
	if w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Error("HEAD has a length and no body")
	}
}

func TestWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "application/problem+json": true, "text/html,application/json": false,
		"application/json, text/html;q=0.5": true, "text/html;q=0.1, application/json;q=0.2": true, "application/json;q=0": false,
		"APPLICATION/JSON": true, "text/html,application/xhtml+xml,*/*;q=0.8": false, "application/json;q=x": true,
	} {
		if got := WantsJSON([]string{accept}); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
