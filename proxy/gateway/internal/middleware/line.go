package middleware

import (
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// Lines writes the access log in the format of slog's JSON handler, without slog's cost per line.
type Lines struct {
	to     io.Writer // receives one complete line per call, from several goroutines
	common []byte    // in every line: the message and the edition
	pool   sync.Pool
}

// NewLines returns an access log that writes to a writer that is safe for concurrent use.
func NewLines(to io.Writer, edition string) *Lines {
	l := &Lines{to: to, common: text([]byte(`,"msg":"request"`), "edition", edition)}
	l.pool.New = func() any { return new([]byte) }
	return l
}

// begin starts a line; write ends it.
func (l *Lines) begin(now time.Time, level slog.Level) *[]byte {
	line := l.pool.Get().(*[]byte)
	b := now.AppendFormat(append((*line)[:0], `{"time":"`...), time.RFC3339Nano)
	b = append(append(append(b, `","level":"`...), level.String()...), '"')
	*line = append(b, l.common...)
	return line
}

func (l *Lines) write(line *[]byte) {
	*line = append(*line, "}\n"...)
	_, _ = l.to.Write(*line) // there is nowhere to report a failure
	l.pool.Put(line)
}

func text(b []byte, name, value string) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	for i := range len(value) {
		if c := value[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == 0x7f || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(value)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), value...), '"')
}

func number(b []byte, name string, value int64) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendInt(b, value, 10)
}

// milliseconds appends a duration in milliseconds, with microsecond precision.
func milliseconds(b []byte, name string, took time.Duration) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendFloat(b, float64(took.Microseconds())/1000, 'f', -1, 64)
}
