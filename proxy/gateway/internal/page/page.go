// Package page writes the gateway's problem pages, as HTML or JSON.
package page

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// Problem is one of the gateway's own error responses. Code is stable, for programs; Title and Text are for people.
type Problem struct {
	Status int
	Code   string
	Title  string
	Text   string
}

// The pages. None of them discloses anything about the network behind the gateway.
var (
	MethodNotAllowed    = Problem{http.StatusMethodNotAllowed, "method_not_allowed", "This method is not allowed", "CONNECT and TRACE are not supported."}
	NotRouted           = Problem{http.StatusNotFound, "not_routed", "Nothing is served at this address", "Please check the address that you were given."}
	Timeout             = Problem{http.StatusRequestTimeout, "request_timeout", "The request took too long to arrive", "The connection may be slow. Please try again."}
	BodyTooLarge        = Problem{http.StatusRequestEntityTooLarge, "body_too_large", "The request is too large", "Please send less at a time."}
	RateLimited         = Problem{http.StatusTooManyRequests, "rate_limited", "Too many requests", "Please wait a moment, then try again."}
	HeadersTooLarge     = Problem{http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The request's header is too large", "Deleting this site's cookies may help."}
	SignUpClosed        = Problem{http.StatusForbidden, "sign_up_closed", "Sign-up is closed", "New accounts can't be created at the moment."}
	Internal            = Problem{http.StatusInternalServerError, "internal", "Something went wrong", "The error has been logged with the request number below."}
	Unreachable         = Problem{http.StatusBadGateway, "upstream_unreachable", "The service cannot be reached", "Please try again in a moment."}
	UpstreamTimeout     = Problem{http.StatusGatewayTimeout, "upstream_timeout", "The service did not respond in time", "Please try again in a moment."}
	VersionNotSupported = Problem{http.StatusHTTPVersionNotSupported, "http_version", "HTTP/1.1 is required", "HTTP/1.0 can't tell a truncated response from a complete one."}
)

// BadRequest describes what is wrong with the request.
func BadRequest(text string) Problem {
	return Problem{http.StatusBadRequest, "bad_request", "Bad request", text}
}

// Maintenance shows the message, or a default text if it is empty.
func Maintenance(message string) Problem {
	if message == "" {
		message = "We are working on it and will be back soon. Nothing that you saved is lost."
	}
	return Problem{http.StatusServiceUnavailable, "maintenance", "Down for maintenance", message}
}

// Parse returns the response to a request that net/http refused before any handler saw it.
func Parse(status int) Problem {
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		return HeadersTooLarge
	case http.StatusRequestTimeout:
		return Timeout
	case http.StatusNotImplemented:
		return Problem{status, "unknown_encoding", "Unknown transfer encoding", "Only chunked is supported."}
	case http.StatusExpectationFailed:
		return Problem{status, "expectation_failed", "Unknown expectation", "Only 100-continue is supported."}
	case http.StatusHTTPVersionNotSupported:
		return VersionNotSupported
	}
	return BadRequest("The request or its header is not valid HTTP.")
}

//go:embed page.html
var source string

var layout = template.Must(template.New("page").Parse(source))

// Body returns the page and its content type. id may be empty.
func (p Problem) Body(asJSON bool, id string) (body []byte, contentType string) {
	if asJSON {
		body, err := json.Marshal(struct {
			Status    int    `json:"status"`
			Error     string `json:"error"`
			Title     string `json:"title"`
			Message   string `json:"message"`
			RequestID string `json:"requestId,omitempty"`
		}{p.Status, p.Code, p.Title, p.Text, id})
		if err != nil {
			panic(err) // strings and a number always marshal
		}
		return append(body, '\n'), "application/json; charset=utf-8"
	}
	var html bytes.Buffer
	if err := layout.Execute(&html, struct {
		Problem
		ID string
	}{p, id}); err != nil {
		panic(err) // the template is tested with every field
	}
	return html.Bytes(), "text/html; charset=utf-8"
}

// Write responds to r with the page, as JSON if r prefers it to HTML. Headers that are already set, such as Retry-After, stay.
func (p Problem) Write(w http.ResponseWriter, r *http.Request, id string) {
	body, contentType := p.Body(WantsJSON(r.Header["Accept"]), id)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Add("Vary", "Accept")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // fails only if the client is gone
	}
}

// WantsJSON reports whether an Accept header prefers JSON to HTML. It is false for a tie, and if neither is named.
func WantsJSON(accept []string) bool {
	best, asJSON := 0.0, false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			kind, rest, _ := strings.Cut(part, ";")
			kind = strings.ToLower(strings.TrimSpace(kind))
			quality := 1.0
			for parameter := range strings.SplitSeq(rest, ";") {
				if text, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
					if q, err := strconv.ParseFloat(text, 64); err == nil {
						quality = q
					}
				}
			}
			isJSON := kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
			switch {
			case isJSON && quality > best:
				best, asJSON = quality, true
			case (kind == "text/html" || kind == "application/xhtml+xml") && quality >= best:
				best, asJSON = quality, false
			}
		}
	}
	return asJSON
}
