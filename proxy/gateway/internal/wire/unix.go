package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// Socket is a Unix listener that supports handover. It takes over its path with a rename, so that a new process can replace
// an old one without interruption.
type Socket struct {
	*net.UnixListener
	path string
	own  fs.FileInfo
}

// ListenUnix binds path with the given file mode. It replaces an existing socket, whose listener keeps its connections.
// Any other existing file is an error.
func ListenUnix(path string, mode fs.FileMode) (*Socket, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s exists and is not a socket", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("socket: %w", err)
	}
	fresh := fmt.Sprintf("%s.%d.%d", path, os.Getpid(), time.Now().UnixNano()%1e6)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	s := &Socket{UnixListener: listener, path: path}
	if err = os.Chmod(fresh, mode); err == nil {
		if s.own, err = os.Lstat(fresh); err == nil {
			err = os.Rename(fresh, path)
		}
	}
	if err != nil {
		listener.Close()
		os.Remove(fresh)
		return nil, fmt.Errorf("socket: %w", err)
	}
	return s, nil
}

// Unlink removes the path, unless another process has taken it over. New connections then fail at once, while pending ones can
// still be accepted. Call it shortly before Close.
func (s *Socket) Unlink() {
	if info, err := os.Lstat(s.path); err == nil && os.SameFile(info, s.own) {
		os.Remove(s.path)
	}
}

// Close unlinks and stops listening.
func (s *Socket) Close() error {
	s.Unlink()
	return s.UnixListener.Close()
}
