package bookings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// FileStore keeps a place in the file of that name. One reader may use it.
type FileStore string

// Load reads the file; nil where it is not there. A file that cannot be read is an
// error: to guess would pass over events, or repeat a month of them.
func (s FileStore) Load(context.Context) (*Place, error) {
	text, err := os.ReadFile(string(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	place := new(Place)
	if err := json.Unmarshal(text, place); err != nil {
		return nil, fmt.Errorf("%s keeps no place; mend it, or remove it to begin now: %w", string(s), err)
	}
	return place, nil
}

// Save replaces the file: a crash leaves the old place or the new one, whole and on
// the disk.
func (s FileStore) Save(_ context.Context, place Place) error {
	text, err := json.Marshal(place)
	if err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	next := string(s) + ".new"
	if err := write(next, text); err != nil {
		return err
	}
	if err := os.Rename(next, string(s)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(string(s)))
}

// syncFolder puts the new name on the disk. Windows cannot be asked to.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
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
