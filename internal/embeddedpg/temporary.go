package embeddedpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	temporaryPrefix = "bookings-pg-"

	// A younger folder may be between its making and its locking.
	sweepAfter = time.Minute
)

// takeTemporary makes a folder for one run, and first removes what runs left
// behind that were killed.
func (f *folder) takeTemporary() (err error) {
	if f.runAs, err = accountFor(""); err != nil {
		return err
	}
	base := temporaryBase(f.runAs)
	sweep(base)
	if f.dir, err = os.MkdirTemp(base, temporaryPrefix); err != nil {
		return fmt.Errorf("embeddedpg: make a temporary folder: %w", err)
	}
	f.discard = []string{f.dir}
	if err := os.Chmod(f.dir, 0o755); err != nil {
		return fmt.Errorf("embeddedpg: open the temporary folder to the account: %w", err)
	}
	f.lock, err = tryLock(f.dir, os.O_CREATE)
	return err
}

// temporaryBase is where temporary folders go: into memory where there is
// plenty, which makes a database several times faster than on most disks, unless
// TMPDIR names another place.
func temporaryBase(who account) string {
	bases := []string{os.TempDir(), "/tmp", "/var/tmp"}
	if memory := memoryFolder(); memory != "" && os.Getenv("TMPDIR") == "" {
		bases = append([]string{memory}, bases...)
	}
	return firstUsable(bases, who)
}

// firstUsable is the first folder that the account can reach and that leaves
// room for a socket's path.
func firstUsable(bases []string, who account) string {
	const longest = temporaryPrefix + "4294967295/sock"
	for _, base := range bases {
		if obstacle(base, who) == "" && fitsSocket(filepath.Join(base, longest)) {
			return base
		}
	}
	return bases[0] // what then fails says why
}

// sweep removes the folders whose lock is free. It is a courtesy: what cannot
// be removed stays for the next one.
func sweep(base string) {
	found, err := filepath.Glob(filepath.Join(base, temporaryPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range found {
		// Everybody may write here: a link, or a folder of somebody else,
		// could lead us to remove or to signal what is not ours.
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !ours(info) || time.Since(info.ModTime()) < sweepAfter {
			continue
		}
		sweepOne(dir)
	}
}

func sweepOne(dir string) {
	lock, err := tryLock(dir, 0)
	switch {
	case err == nil:
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	case errors.Is(err, errLocked) && !alive(lockOwner(dir)):
		interruptOrphan(dir)
	case errors.Is(err, fs.ErrNotExist):
		_ = os.Remove(dir) // killed before it had a lock: empty, or not ours to judge
	}
}

func ours(info fs.FileInfo) bool {
	uid, _ := owner(info)
	return uid == os.Geteuid()
}
