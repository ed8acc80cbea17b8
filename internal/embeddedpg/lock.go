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

var errLocked = errors.New("the lock is held")

const (
	// An owner that died takes its postgres along within this time where the
	// system has death signals; elsewhere we send the signal ourselves.
	orphanGrace = time.Second
	orphanLimit = 15 * time.Second
)

// acquire takes the lock of dir. While its owner lives that fails at once.
// When the owner is dead but its postgres is still shutting down, it waits.
func acquire(ctx context.Context, dir string) (*os.File, error) {
	began := time.Now()
	for {
		lock, err := tryLock(dir, os.O_CREATE)
		if !errors.Is(err, errLocked) {
			return lock, err
		}
		if pid := lockOwner(dir); alive(pid) {
			return nil, fmt.Errorf("embeddedpg: already running in %s, pid %d: stop that process or choose another folder", dir, pid)
		}
		switch waited := time.Since(began); {
		case waited > orphanLimit:
			return nil, fmt.Errorf("embeddedpg: a postgres whose starter died still runs in %s: end it first", dir)
		case waited > orphanGrace:
			interruptOrphan(dir)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("embeddedpg: wait for the lock of %s: %w", dir, ctx.Err())
		case <-time.After(askEvery):
		}
	}
}

// tryLock opens the lock of dir, with O_CREATE in flags makes it, and returns
// errLocked when somebody holds it. The lock ends with the last process that
// has the file open, so it cannot be left behind.
func tryLock(dir string, flags int) (*os.File, error) {
	lock, err := os.OpenFile(lockPath(dir), os.O_RDWR|flags, 0o644)
	if err != nil {
		return nil, fmt.Errorf("embeddedpg: open the lock: %w", err)
	}
	if err := flock(lock); err != nil {
		_ = lock.Close()
		return nil, err
	}
	if err := signLock(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("embeddedpg: write the lock: %w", err)
	}
	return lock, nil
}

func signLock(lock *os.File) error {
	_, err := lock.WriteAt(fmt.Appendf(nil, "%-10d\n", os.Getpid()), 0)
	return err
}

// release takes our name off the lock and lets it go. Processes of a postgres
// that was killed may hold it a moment longer: whoever comes next shall wait
// for them, not read that we still run.
func release(lock *os.File) error {
	return errors.Join(lock.Truncate(0), lock.Close())
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// lockOwner is the process id in the lock, 0 when there is none to be read.
func lockOwner(dir string) int { return firstNumber(lockPath(dir)) }

// interruptOrphan tells a postgres to shut down whose starter is dead. The lock
// being held proves that the process id is still that of this postgres.
func interruptOrphan(dir string) {
	if pid := firstNumber(filepath.Join(dir, "data", "postmaster.pid")); pid > 0 {
		if postgres, err := os.FindProcess(pid); err == nil {
			_ = postgres.Signal(syscall.SIGINT)
		}
	}
}

func firstNumber(path string) int {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(content), "\n")
	number, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0
	}
	return number
}
