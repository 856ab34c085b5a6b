package wire

import (
	"bytes"
	"hash/maphash"
	"strconv"
)

// net/http silently drops Content-Length if Transfer-Encoding is present too, and accepts other input that
// two parsers may read differently. The scanner parses the same bytes a second time, independently, and returns a verdict for each
// request. A request is refused if it is ambiguous, or if the two parsers disagree about where it starts.

// verdict is what the scanner found in one request's header.
type verdict struct {
	reason string // why the request is ambiguous; empty if it is not
	line   uint64 // hash of "METHOD target PROTOCOL"
	json   bool   // prefers JSON to HTML
}

const (
	inRequestLine = iota
	inHeader
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	stopped
)

// enough for any valid length or encoding
const maxLine = 256

type scanner struct {
	state int
	line  []byte // start of the current line, at most maxLine bytes
	long  bool   // the line is longer than maxLine
	hash  maphash.Hash
	left  int64 // bytes left of the body or chunk

	current verdict
	length  int64 // -1: none
	chunked bool
	json    bool // the header read so far prefers JSON to HTML
	lastCR  bool
	started bool // at least one byte of the current request was read
}

func newScanner() *scanner {
	s := &scanner{}
	s.hash.SetSeed(seed)
	s.line = make([]byte, 0, maxLine)
	s.reset()
	return s
}

// seed makes hashes unpredictable. It is chosen once and never changes.
var seed = maphash.MakeSeed()

func (s *scanner) reset() {
	s.state = inRequestLine
	s.line, s.long = s.line[:0], false
	s.hash.Reset()
	s.current, s.length, s.chunked, s.json, s.started = verdict{}, -1, false, false, false
}

// scan reads bytes in order of arrival and calls done for each complete header.
func (s *scanner) scan(data []byte, done func(verdict)) {
	for len(data) > 0 {
		switch s.state {
		case stopped:
			return
		case inBody, inChunk:
			n := min(s.left, int64(len(data)))
			data, s.left = data[n:], s.left-n
			if s.left == 0 {
				if s.state == inBody {
					s.reset()
				} else {
					s.state = inChunkEnd
				}
			}
		default:
			s.started = true
			end := bytes.IndexByte(data, '\n')
			part := data
			if end >= 0 {
				part = data[:end]
			}
			if s.state == inRequestLine {
				s.hash.Write(part)
			}
			if room := maxLine - len(s.line); room < len(part) {
				s.long = true
				// The last byte is needed to check that a line ends in CR LF.
				s.line = append(s.line, part[:room]...)
			} else {
				s.line = append(s.line, part...)
			}
			if len(part) > 0 {
				s.lastCR = part[len(part)-1] == '\r'
			}
			if end < 0 {
				return
			}
			data = data[end+1:]
			s.endLine(done)
			s.line, s.long, s.lastCR = s.line[:0], false, false
		}
	}
}

func (s *scanner) refuse(reason string) {
	if s.current.reason == "" {
		s.current.reason = reason
	}
}

func (s *scanner) endLine(done func(verdict)) {
	line := s.line
	if !s.lastCR {
		s.refuse("a line ends without a carriage return")
	} else if !s.long {
		line = line[:len(line)-1]
	}
	if bytes.IndexByte(line, '\r') >= 0 && !s.long {
		s.refuse("a carriage return within a line")
	}
	switch s.state {
	case inRequestLine:
		if len(line) == 0 && !s.long {
			// net/http also refuses an empty line before a request.
			s.refuse("an empty line before the request")
		}
		s.current.line = s.hash.Sum64()
		s.state = inHeader
	case inHeader:
		if len(line) > 0 || s.long {
			s.field(line)
			return
		}
		if s.chunked && s.length >= 0 {
			s.refuse("both Content-Length and Transfer-Encoding")
		}
		v := s.current
		v.json = s.json
		switch {
		case v.reason != "":
			s.state = stopped // the connection will be closed
		case s.chunked:
			s.state = inChunkSize
		case s.length > 0:
			s.state, s.left = inBody, s.length
		default:
			s.reset()
		}
		done(v)
	case inChunkSize:
		size, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseInt(string(bytes.TrimRight(size, " \t")), 16, 64)
		switch {
		case err != nil || n < 0 || s.long || size[0] == '+':
			s.state = stopped // net/http fails to read the body; without a further verdict no request can follow
		case n == 0:
			s.state = inTrailer
		default:
			s.state, s.left = inChunk, n
		}
	case inChunkEnd:
		s.state = inChunkSize
		if len(line) > 0 {
			s.state = stopped
		}
	case inTrailer:
		if len(line) == 0 && !s.long {
			s.reset()
		}
	}
}

func (s *scanner) field(line []byte) {
	if line[0] == ' ' || line[0] == '\t' {
		s.refuse("a folded header line")
		return
	}
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		if !s.long {
			s.refuse("a header line without a colon")
		}
		return
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("content-length")):
		n, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || s.long || value[0] == '+' || len(name) != len("content-length") {
			s.refuse("a Content-Length that is not a number")
			return
		}
		if s.length >= 0 {
			s.refuse("Content-Length twice")
		}
		s.length = int64(n)
	case bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("transfer-encoding")):
		if s.chunked || s.long || !bytes.EqualFold(value, []byte("chunked")) || len(name) != len("transfer-encoding") {
			s.refuse("a Transfer-Encoding other than chunked")
		}
		s.chunked = true
	case bytes.EqualFold(name, []byte("accept")):
		s.json = bytes.Contains(value, []byte("json")) && !bytes.Contains(value, []byte("html"))
	}
}
