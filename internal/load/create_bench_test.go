//go:build linux

package load

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bookings/internal/booking"
)

const (
	// providers and customers are how many take part in the creates.
	providers = 500
	customers = 200
	// rounds are how often the server and its yardsticks take turns.
	rounds = 3
)

var firstSlot = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// creates are requests of customers, each for a slot of its own.
func creates() func(i int) string {
	tokens := make([]string, customers)
	for i := range tokens {
		tokens[i] = token(booking.RoleCustomer, fmt.Sprintf("customer-%d", i))
	}
	return func(i int) string {
		start := firstSlot.Add(time.Duration(i/providers) * time.Minute)
		return connectCall(tokens[i%customers], "CreateBooking", fmt.Sprintf(
			`{"providerId":"provider-%d","startTime":%q,"endTime":%q,"note":"a haircut","idempotencyKey":"key-%d"}`,
			i%providers, start.Format(time.RFC3339), start.Add(time.Minute).Format(time.RFC3339), i))
	}
}

// BenchmarkCreate compares creates through the server with pgbench, which sends the
// statements of a create, taken from PostgreSQL's log, with as many workers: one by
// one (of-pgbench), and in one pipeline as the server does (of-pipeline). 100 is as many in a
// second as pgbench.
func BenchmarkCreate(b *testing.B) {
	w := newWorld(b)
	script := w.record(b)
	s := w.serve()
	request := creates()
	next := func(i int) string { return request(i) }
	s.run(b, 200, next)

	n := max(b.N/rounds, 1)
	var ofPgbench, ofPipeline, rates []float64
	var serverCPU, postgresCPU time.Duration
	done := 200
	b.ResetTimer()
	for range rounds {
		plain, pipelined := w.pgbench(b, script, n, false), w.pgbench(b, script, n, true)
		ours, theirs, first := s.cpu(b), w.postgresCPU(), done
		took := s.run(b, n, func(i int) string { return request(first + i) })
		done += n
		serverCPU += s.cpu(b) - ours
		postgresCPU += w.postgresCPU() - theirs
		rate := float64(n) / took.Seconds()
		rates = append(rates, rate)
		ofPgbench = append(ofPgbench, 100*rate/plain)
		ofPipeline = append(ofPipeline, 100*rate/pipelined)
	}
	b.StopTimer()
	b.ReportMetric(median(rates), "creates/s")
	b.ReportMetric(median(ofPgbench), "%of-pgbench")
	b.ReportMetric(slices.Min(ofPgbench), "%of-pgbench-min")
	b.ReportMetric(slices.Max(ofPgbench), "%of-pgbench-max")
	b.ReportMetric(median(ofPipeline), "%of-pipeline")
	b.ReportMetric(each(serverCPU, n*rounds), "cpu-ms/op")
	b.ReportMetric(each(postgresCPU, n*rounds), "postgres-ms/op")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
