//go:build linux

package load

import (
	"testing"
	"time"

	"bookings/internal/pause"
)

// settleTime is how long a server is left alone before its memory is looked at.
const settleTime = 3 * time.Second

// BenchmarkSockets opens one socket for each of many users and tells how much memory
// each of them holds while nothing happens. All that a socket promises is switched on.
func BenchmarkSockets(b *testing.B) {
	w := newWorld(b).withRedis()
	s := w.serve("MAX_CONNECTIONS=0", "MAX_CONNECTIONS_PER_ADDRESS=0")
	n := min(b.N, maxSockets)
	all := handshakes(n, func(int) string { return "" })
	opened := make([]*socket, n)
	before, cpu := s.residentKiB(b), s.cpu(b)
	b.ResetTimer()
	s.openAll(b, all, workers, func(i int, c *socket, _ []byte) error {
		opened[i] = c
		return nil
	})
	b.StopTimer()
	cpu = s.cpu(b) - cpu
	pause.For(b.Context(), settleTime)
	b.ReportMetric(float64(s.residentKiB(b)-before)/float64(n), "KiB/socket")
	b.ReportMetric(each(cpu, n), "cpu-ms/socket")
	for _, c := range opened {
		if c != nil {
			_ = c.conn.Close()
		}
	}
}
