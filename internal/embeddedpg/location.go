//go:build unix

package embeddedpg

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateDir holds the data of a cluster that root started, when its own folder
// is closed to the account that runs it.
const stateDir = "/var/lib/bookings"

// locate decides where a cluster's data lie and who runs it. A folder that is
// closed to the account, as one below /root is, is replaced by one below
// fallback, always the same for the same dir.
func locate(ctx context.Context, dir, fallback string, progress func(string)) (string, account, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", account{}, fmt.Errorf("embeddedpg: the data's folder: %w", err)
	}
	runAs, err := accountFor(dir)
	if err != nil {
		return "", account{}, err
	}
	parent := firstExisting(dir) // what is missing below it will be made open
	if runAs.canEnter(ctx, parent) {
		return dir, runAs, nil
	}
	other := filepath.Join(fallback, fmt.Sprintf("%s-%.4x", filepath.Base(dir), sha256.Sum256([]byte(dir))))
	progress(fmt.Sprintf("the data go to %s: postgres runs as %s, who may not enter %s", other, runAs.name, parent))
	runAs, err = accountFor(other)
	return other, runAs, err
}

// firstExisting is dir or the nearest folder above it that is there.
func firstExisting(dir string) string {
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// makeOpen is os.MkdirAll, but everybody may enter what it makes, whatever the
// umask: the account may be another user, and what is private lies in folders
// of its own further down.
func makeOpen(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeOpen(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil // by another process, at the same time
		}
		return err
	}
	return os.Chmod(dir, 0o755)
}

// fitsSocket tells whether a socket in dir has a path that the system takes
// (Linux 107 bytes, macOS 103). A comma would make it two paths to postgres and
// to pgx.
func fitsSocket(dir string) bool {
	path := filepath.Join(dir, ".s.PGSQL."+port)
	return len(path) <= 103 && !strings.Contains(path, ",")
}
