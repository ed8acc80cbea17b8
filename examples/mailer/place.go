package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// place is how far the mailer has come: the last entry's number, and its id, which
// proves that the feed still has the same history.
type place struct {
	Sequence int64  `json:"sequence"`
	ID       string `json:"id"`
}

// load reads a place; nil where the file is not there. A file that cannot be read
// is an error: to guess would lose mail or repeat a month of it.
func load(file string) (*place, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := new(place)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("%s keeps no place; mend it, or remove it to begin now: %w", file, err)
	}
	return p, nil
}

// save replaces the file: a crash leaves the old place or the new one, whole and
// on the disk.
func (p place) save(file string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	if err := write(file+".new", text); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func write(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
