package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// directory is where the files in force are. What is on the disk is the only memory, so that a restart forgets nothing.
type directory string

// read answers nil if there is no such file.
func (d directory) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// write replaces a file at once, or leaves it if it holds data already.
func (d directory) write(name string, data []byte, mode fs.FileMode) (changed bool, err error) {
	old, err := d.read(name)
	if err != nil {
		return false, err
	}
	if old != nil && bytes.Equal(old, data) {
		return false, nil
	}
	fresh, err := os.CreateTemp(string(d), "."+name+".*")
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", name, err)
	}
	defer os.Remove(fresh.Name()) // gone already if all goes well
	_, err = fresh.Write(data)
	err = errors.Join(err, fresh.Chmod(mode), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), filepath.Join(string(d), name))
	}
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", name, err)
	}
	return true, nil
}
