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

// File holds the table in force and replaces it when the file's bytes change. It reads the file again and again rather
// than asking the kernel for events: those are lost by renames, by symbolic links being swapped (as mounted
// configuration does) and on some network file systems, and a few kilobytes twice a second cost nothing.
type File struct {
	path     string
	edition  string
	table    atomic.Pointer[Table]
	seen     []byte // what was last judged, accepted or not
	lastFail string
}

// Open reads and judges the file for the first time.
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

// Table answers the table in force, never nil.
func (f *File) Table() *Table { return f.table.Load() }

// Watch looks at the file every interval until ctx ends. prepare is given each new table before it is in force;
// report is told each outcome once: nil for a table now in force, otherwise why the old one stays.
func (f *File) Watch(ctx context.Context, interval time.Duration, prepare func(*Table), report func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.look(prepare, report)
		}
	}
}

func (f *File) look(prepare func(*Table), report func(error)) {
	data, err := read(f.path)
	if err != nil {
		// Missing for a moment, or for long: told once, not at every look.
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
		return nil, errors.New("routing file: empty, perhaps being written")
	}
	return data, nil
}
