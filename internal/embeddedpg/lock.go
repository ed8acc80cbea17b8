//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanLimit is how long a postgres may take to shut down whose starter died.
const orphanLimit = 15 * time.Second

// lockFolder takes the lock of a cluster's folder. initdb and postgres inherit
// it, and the system frees it with the last process that has the file open: it
// is held as long as anybody works on the data, even when we die first, and it
// cannot be left behind as a file that merely exists could.
//
// While the process that took it lives, lockFolder fails at once. When that one
// is dead but its postgres is still shutting down, it waits.
func lockFolder(ctx context.Context, dir string) (*os.File, error) {
	lock, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("embeddedpg: open the lock: %w", err)
	}
	if err = waitForLock(ctx, dir, lock); err == nil {
		_, err = lock.WriteAt(fmt.Appendf(nil, "%-10d\n", os.Getpid()), 0) // who it is, for the next one's error
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func waitForLock(ctx context.Context, dir string, lock *os.File) error {
	began := time.Now()
	for {
		if free, err := tryLock(lock); free || err != nil {
			return err
		}
		if pid := lockOwner(dir); isAlive(pid) {
			return fmt.Errorf("embeddedpg: already running in %s, pid %d: stop that process or choose another folder", dir, pid)
		}
		if time.Since(began) > orphanLimit {
			return fmt.Errorf("embeddedpg: a postgres whose starter died still runs in %s: end it first", dir)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("embeddedpg: wait for the lock of %s: %w", dir, ctx.Err())
		case <-time.After(askEvery):
		}
	}
}

// tryLock takes the lock of an open file unless somebody has it.
func tryLock(lock *os.File) (taken bool, err error) {
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("embeddedpg: lock %s: %w", lock.Name(), err)
	}
	return true, nil
}

// release takes our name off the lock and lets it go. Processes of a postgres
// that was killed may hold it a moment longer: whoever comes next has to wait
// for them, not to read that we still run.
func release(lock *os.File) error {
	return errors.Join(lock.Truncate(0), lock.Close())
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// lockOwner is the process id in the lock, 0 when there is none to be read.
func lockOwner(dir string) int {
	content, _ := os.ReadFile(lockPath(dir))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}

// isAlive tells whether a process exists, be it ours or not.
func isAlive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
