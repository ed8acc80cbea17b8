//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folder is the place of one cluster, held by its lock:
//
//	data/         PostgreSQL's data folder
//	sock/         the Unix socket, unless its path would be too long here
//	postgres.log  what postgres said since this start; .old is the start before
//	lock          held while the cluster runs; names the process that started it
type folder struct {
	dir       string
	socketDir string
	runAs     account
	lock      *os.File

	discard []string // folders that end with the cluster
}

// openFolder makes the folder where needed and takes its lock.
func openFolder(ctx context.Context, options Options) (_ *folder, err error) {
	f := &folder{}
	if options.Dir == "" {
		err = f.openTemporary(ctx)
	} else {
		err = f.openKept(ctx, options)
	}
	if err == nil {
		err = f.makeSocketDir()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *folder) openKept(ctx context.Context, options Options) (err error) {
	if f.dir, f.runAs, err = locate(ctx, options.Dir, stateDir, options.Progress); err != nil {
		return err
	}
	if err := makeOpen(f.dir); err != nil {
		return fmt.Errorf("embeddedpg: make the folder: %w", err)
	}
	f.lock, err = lockFolder(ctx, f.dir)
	return err
}

// makeSocketDir makes a folder that nobody else may enter, since whoever
// reaches the socket is let in without a password.
func (f *folder) makeSocketDir() (err error) {
	f.socketDir = filepath.Join(f.dir, "sock")
	if !fitsSocket(f.socketDir) {
		// Not os.TempDir: macOS' own is so long that little more would fit.
		if f.socketDir, err = os.MkdirTemp("/tmp", "bookings-sock-"); err != nil {
			return fmt.Errorf("embeddedpg: make a folder for the socket: %w", err)
		}
		f.discard = append(f.discard, f.socketDir)
	}
	return f.runAs.makePrivate(f.socketDir)
}

func (f *folder) data() string { return filepath.Join(f.dir, "data") }
func (f *folder) log() string  { return filepath.Join(f.dir, "postgres.log") }

func (f *folder) openLog() (*os.File, error) {
	_ = os.Rename(f.log(), f.log()+".old") // there is none at the first start
	log, err := os.OpenFile(f.log(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("embeddedpg: open the log: %w", err)
	}
	return log, nil
}

// logTail is the end of postgres' log, ready to be put behind an error's text.
func (f *folder) logTail() string {
	const lines = 15
	log, err := os.ReadFile(f.log())
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(log)), "\n")
	tail := all[max(0, len(all)-lines):]
	return fmt.Sprintf("\nthe end of %s:\n%s", f.log(), strings.Join(tail, "\n"))
}

// close removes what was temporary and gives the lock back, in this order, so
// that nobody else takes what is being removed.
func (f *folder) close() error {
	var failures []error
	for _, dir := range f.discard {
		failures = append(failures, os.RemoveAll(dir))
	}
	if f.lock != nil {
		failures = append(failures, release(f.lock))
	}
	return errors.Join(failures...)
}
