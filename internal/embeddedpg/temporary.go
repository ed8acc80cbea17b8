//go:build unix

package embeddedpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	temporaryPrefix = "bookings-pg-"

	// A younger folder may be between its making and its locking.
	leftoverAge = time.Minute

	// memoryFolder is in memory on Linux, where a test's database is made and
	// dropped in half of a disk's time. Containers often have 64 MB of it.
	memoryFolder = "/dev/shm"
	memoryNeeded = 1 << 30
)

// openTemporary makes a folder for one run.
func (f *folder) openTemporary(ctx context.Context) (err error) {
	if f.runAs, err = accountFor(""); err != nil {
		return err
	}
	base := temporaryBase(ctx, f.runAs)
	removeLeftovers(base)
	if f.dir, err = os.MkdirTemp(base, temporaryPrefix); err != nil {
		return fmt.Errorf("embeddedpg: make a temporary folder: %w", err)
	}
	f.discard = []string{f.dir}
	if err := os.Chmod(f.dir, 0o755); err != nil {
		return fmt.Errorf("embeddedpg: open the temporary folder to the account: %w", err)
	}
	f.lock, err = lockFolder(ctx, f.dir)
	return err
}

// temporaryBase is where temporary folders go, unless TMPDIR names a place that
// the account can enter.
func temporaryBase(ctx context.Context, runAs account) string {
	if os.Getenv("TMPDIR") == "" && hasRoom(memoryFolder) {
		return memoryFolder
	}
	if dir := os.TempDir(); runAs.canEnter(ctx, dir) {
		return dir
	}
	return "/tmp"
}

// hasRoom tells whether we may write to the folder and enough of it is free.
func hasRoom(dir string) bool {
	const writable = 2
	var system syscall.Statfs_t
	return syscall.Access(dir, writable) == nil && syscall.Statfs(dir, &system) == nil &&
		int64(system.Bavail)*int64(system.Bsize) >= memoryNeeded //nolint:unconvert // the types differ between systems
}

// removeLeftovers removes the folders of runs that were killed, as a test run
// is that takes too long; they would fill the memory. Their locks are free. What
// cannot be removed stays for the next one.
func removeLeftovers(base string) {
	found, _ := filepath.Glob(filepath.Join(base, temporaryPrefix+"*")) // an error is of the pattern only
	for _, dir := range found {
		// Everybody may write here: a link, or a folder of somebody else, could
		// lead us to remove what is not ours.
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		if uid, _ := owner(info); uid != os.Geteuid() {
			continue
		}
		lock, err := os.OpenFile(lockPath(dir), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if free, _ := tryLock(lock); free {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
