// Package testlog captures a program's log in tests.
package testlog

import (
	"bytes"
	"sync"
)

// Buffer collects writes. It is safe for concurrent use. Its zero value is empty.
type Buffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(p)
}

func (b *Buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}
