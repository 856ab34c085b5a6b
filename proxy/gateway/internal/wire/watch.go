package wire

import (
	"syscall"
	"time"
)

// net/http reads in the background while a handler runs, only to know when the client goes: a goroutine that waits, and is woken, for every request. The connection
// answers that read at once with nothing, and looks for itself if the request takes longer than patience.
const patience = 50 * time.Millisecond

// past is any time that is over: a deadline that ends what waits.
var past = time.Unix(1, 0)

// background says that a read is net/http's in the background: it is for one byte, of a request that has come to its end and is being
// handled. Called with the mutex held.
func (c *Conn) background(b []byte) bool {
	return len(b) == 1 && c.handling.Load() && c.raw != nil && c.gone != nil && c.scanner.state == inRequestLine && !c.scanner.started
}

// await has the connection watched soon. Called with the mutex held.
func (c *Conn) await() {
	if c.ended {
		return // net/http's goroutine came too late
	}
	c.awaited = true
	if c.timer == nil {
		c.timer = time.AfterFunc(patience, c.watch)
	} else {
		c.timer.Reset(patience)
	}
}

// watch waits until the client goes, or says something before its answer has come, which net/http takes for a sign that it is there.
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
	// An error is the deadline that unwatch sets, or that the connection was closed: whoever did either knows.
	if err == nil && gone {
		c.gone()
	}
}

// unwatch ends the watching, so that the next to read may.
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
		_ = c.Conn.SetReadDeadline(past) // fails if it was closed, which ends the watching too
		<-over
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
}
