//go:build linux

package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit in which Linux counts a process's time (USER_HZ).
const tick = 10 * time.Millisecond

// cpu is what a server has used of the processors so far.
func (s *server) cpu(b *testing.B) time.Duration {
	b.Helper()
	return processTime(b, s.cmd.Process.Pid, false)
}

// postgresCPU is what PostgreSQL has used: its postmaster, the processes that it has
// and those that it has had.
func (w *world) postgresCPU() time.Duration {
	w.b.Helper()
	pid, err := os.ReadFile(filepath.Join(w.folder, "postgres", "data", "postmaster.pid"))
	if err != nil {
		w.b.Fatal(err)
	}
	postmaster, err := strconv.Atoi(strings.SplitN(string(pid), "\n", 2)[0])
	if err != nil {
		w.b.Fatal(err)
	}
	total := processTime(w.b, postmaster, true)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
	if err != nil {
		w.b.Fatal(err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		if id, err := strconv.Atoi(child); err == nil {
			total += processTime(w.b, id, false)
		}
	}
	return total
}

// processTime reads proc(5): fields 14 to 17 are a process's time in user mode and in
// the kernel, then that of its children which have ended. One that is gone has none.
func processTime(b *testing.B, pid int, ofChildren bool) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)[11:15]
	if !ofChildren {
		fields = fields[:2]
	}
	var ticks int
	for _, field := range fields {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// residentKiB is the memory that a server has of the machine (VmRSS).
func (s *server) residentKiB(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kib
}

// each is a time for each of n operations, in ms.
func each(total time.Duration, n int) float64 {
	return float64(total.Microseconds()) / 1000 / float64(n)
}
