package routing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// File holds the current table and replaces it when the file's content changes. It polls the file instead of using file
// system events, which get lost on renames, on swapped symbolic links (as in mounted configuration) and on some network
// file systems. Reading a few kilobytes twice a second costs nothing.
type File struct {
	path     string
	edition  string
	table    atomic.Pointer[Table]
	seen     []byte // the last content that was parsed, valid or not
	lastFail string
}

// Open reads and parses the file for the first time.
func Open(path, edition string) (*File, error) {
	f := &File{path: path, edition: edition}
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	table, err := Parse(data, edition)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	f.seen = data
	f.table.Store(table)
	return f, nil
}

// Table returns the current table, which is never nil.
func (f *File) Table() *Table { return f.table.Load() }

// Watch polls the file every interval until ctx ends. It calls prepare with each new table before the table takes effect,
// and report once per outcome: with nil for a new table, otherwise with the reason why the previous one stays.
func (f *File) Watch(ctx context.Context, interval time.Duration, prepare func(*Table), report func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.poll(prepare, report)
		}
	}
}

func (f *File) poll(prepare func(*Table), report func(error)) {
	data, err := read(f.path)
	if err != nil {
		// The file may be missing briefly or permanently. Report that once, not at every poll.
		if text := err.Error(); text != f.lastFail {
			f.lastFail = text
			report(err)
		}
		return
	}
	f.lastFail = ""
	if bytes.Equal(data, f.seen) {
		return
	}
	f.seen = data
	table, err := Parse(data, f.edition)
	if err != nil {
		report(err)
		return
	}
	prepare(table)
	f.table.Store(table)
	report(nil)
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("routing file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("routing file: %w", err)
	}
	if len(data) == 0 {
		return nil, errors.New("routing file: empty, possibly being written")
	}
	return data, nil
}
