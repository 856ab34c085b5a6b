package wire

import (
	"syscall"
	"time"
)

// While a handler runs, net/http reads in the background to detect that the client disconnects, which costs a goroutine per request. The connection
// ends that read at once with no data, and watches the client itself if the request takes longer than patience.
const patience = 50 * time.Millisecond

// past is a deadline in the past, which interrupts a waiting read.
var past = time.Unix(1, 0)

// background reports whether a read is net/http's background read: one byte, while a complete request is being
// handled. The mutex must be held.
func (c *Conn) background(b []byte) bool {
	return len(b) == 1 && c.handling.Load() && c.raw != nil && c.gone != nil && c.scanner.state == inRequestLine && !c.scanner.started
}

// await schedules the watching of the connection. The mutex must be held.
func (c *Conn) await() {
	if c.ended {
		return // net/http's goroutine is late
	}
	c.awaited = true
	if c.timer == nil {
		c.timer = time.AfterFunc(patience, c.watch)
	} else {
		c.timer.Reset(patience)
	}
}

// watch waits until the client disconnects, or until it sends data before the response, which net/http takes as a sign that it is connected.
func (c *Conn) watch() {
	c.mutex.Lock()
	if !c.awaited {
		c.mutex.Unlock()
		return
	}
	c.awaited = false
	over := make(chan struct{})
	c.watching = over
	c.mutex.Unlock()
	defer close(over)
	gone := false
	err := c.raw.Read(func(descriptor uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(descriptor), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		for err == syscall.EINTR { //nolint:errorlint // system calls answer it bare
			n, _, err = syscall.Recvfrom(int(descriptor), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		}
		if err == syscall.EAGAIN { //nolint:errorlint // as above
			return false
		}
		gone = err != nil || n == 0
		return true
	})
	// An error means that unwatch set the deadline or that the connection was closed; both are handled elsewhere.
	if err == nil && gone {
		c.gone()
	}
}

// unwatch stops watching, so that others can read again.
func (c *Conn) unwatch() {
	c.mutex.Lock()
	c.ended = true
	if c.awaited {
		c.awaited = false
		c.timer.Stop()
	}
	over := c.watching
	c.watching = nil
	c.mutex.Unlock()
	if over != nil {
		_ = c.Conn.SetReadDeadline(past) // fails if the connection is closed, which also ends the watching
		<-over
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
}
