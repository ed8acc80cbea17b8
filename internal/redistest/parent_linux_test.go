package redistest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"bookings/internal/pgtest"
)

// onThread runs f on a thread that ends with it, and returns the thread's number.
func onThread(f func()) (thread int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if thread = syscall.Gettid(); thread == os.Getpid() {
			thread = onThread(f) // the main thread never ends
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
	return thread
}

func TestARedisOutlivesTheThreadThatAskedForIt(t *testing.T) {
	t.Parallel()
	var server *Server
	thread := onThread(func() { server = Start(t) })
	if server == nil {
		t.SkipNow() // Start has said why
	}
	pgtest.Eventually(t, "the end of the thread", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
		return errors.Is(err, fs.ErrNotExist)
	})
	if err := server.Client().Ping(t.Context()).Err(); err != nil {
		t.Error("Redis has ended with the thread: ", err)
	}
}
