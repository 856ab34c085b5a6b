package upstream

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

var errUnwritable = errors.New("the request contains characters that are not allowed in a header")

// appendHead appends the header of a request without a body, in the form of http.Request.Write.
func appendHead(to []byte, r *http.Request) ([]byte, error) {
	target := r.URL.RequestURI()
	if !unspaced(r.Method) || !unspaced(target) || !unspaced(r.Host) {
		return to, errUnwritable
	}
	to = append(append(append(to, r.Method...), ' '), target...)
	to = append(append(append(to, " HTTP/1.1\r\nHost: "...), r.Host...), "\r\n"...)
	if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		to = append(to, "Content-Length: 0\r\n"...)
	}
	for name, values := range r.Header {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		case "User-Agent":
			if len(values) > 0 && values[0] == "" {
				continue // ReverseProxy's convention for an absent header
			}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return to, errUnwritable
		}
		for _, value := range values {
			value = strings.Trim(value, " \t")
			if !httpguts.ValidHeaderFieldValue(value) {
				return to, errUnwritable
			}
			to = append(append(to, name...), ": "...)
			to = append(append(to, value...), "\r\n"...)
		}
	}
	return append(to, "\r\n"...), nil
}

// unspaced reports whether a text contains no spaces, tabs and control characters.
func unspaced(text string) bool {
	return httpguts.ValidHeaderFieldValue(text) && !strings.ContainsAny(text, " \t")
}

// headEnd returns the length of a header including the blank line that ends it, or 0 if it is incomplete. It recognizes every end that net/http does.
func headEnd(data []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(data[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		rest := data[from:]
		if len(rest) > 0 && rest[0] == '\n' {
			return from + 1
		}
		if len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' {
			return from + 2
		}
	}
}

// plainResponse parses the most common responses: HTTP/1.1, a status with a body, one Content-Length, and an unambiguous header. It returns nil and
// consumes nothing if the header is not completely buffered or has any other form; http.ReadResponse parses those.
func (c *connection) plainResponse() *http.Response {
	have, _ := c.reader.Peek(c.reader.Buffered())
	res, n := parsePlain(have)
	if res != nil {
		_, _ = c.reader.Discard(n) // never fails, because the bytes are buffered
	}
	return res
}

func parsePlain(data []byte) (*http.Response, int) {
	const version = "HTTP/1.1 "
	if len(data) < len(version)+5 || string(data[:len(version)]) != version {
		return nil, 0
	}
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0
	}
	head := string(data[len(version) : end+2]) // each line with its CR LF; one copy, which all parts share
	status, rest, _ := strings.Cut(head, "\r\n")
	if len(status) < 4 || status[0] < '2' || status[0] > '5' || status[1] < '0' || status[1] > '9' || status[2] < '0' || status[2] > '9' || status[3] != ' ' ||
		!httpguts.ValidHeaderFieldValue(status) {
		return nil, 0
	}
	code := int(status[0]-'0')*100 + int(status[1]-'0')*10 + int(status[2]-'0')
	if code == http.StatusNoContent || code == http.StatusNotModified {
		return nil, 0
	}
	lines := strings.Count(rest, "\n")
	header, values := make(http.Header, lines), make([]string, lines)
	length := int64(-1)
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\r\n")
		colon := strings.IndexByte(line, ':')
		if colon <= 0 || !httpguts.ValidHeaderFieldName(line[:colon]) {
			return nil, 0
		}
		value := strings.Trim(line[colon+1:], " \t")
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, 0
		}
		name := textproto.CanonicalMIMEHeaderKey(line[:colon])
		switch name {
		case "Content-Length":
			if length >= 0 || len(value) == 0 || len(value) > 18 || strings.Trim(value, "0123456789") != "" {
				return nil, 0
			}
			length, _ = strconv.ParseInt(value, 10, 64)
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") {
				return nil, 0
			}
		case "Transfer-Encoding", "Trailer", "Upgrade", "Pragma":
			return nil, 0
		}
		if already := header[name]; already != nil {
			header[name] = append(already, value)
		} else {
			values[0] = value
			header[name], values = values[:1:1], values[1:]
		}
	}
	if length < 0 {
		return nil, 0
	}
	return &http.Response{Status: status, StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: length}, end + 4
}
