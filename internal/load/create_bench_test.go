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
// one (%of-pgbench), and in one pipeline as the server does (%of-pipeline). 100 is as
// many in a second as pgbench.
func BenchmarkCreate(b *testing.B) {
	w := newWorld(b)
	if b.N > 1 { // Go tries a benchmark with one round first
		w.growUp()
	}
	script := w.record(b)
	s := w.serve()
	request := creates()
	warm := 200
	s.run(b, warm, request)

	n := max(b.N/rounds, 1)
	var rates, ofPgbench, ofPipeline []float64
	var ours, theirs time.Duration
	var wal int64
	b.ResetTimer()
	for round := range rounds {
		plain, pipelined := w.pgbench(b, script, n, false), w.pgbench(b, script, n, true)
		server, postgres, logged := s.cpu(b), w.postgresCPU(), w.wal()
		took := s.run(b, n, func(i int) string { return request(warm + round*n + i) })
		ours, theirs = ours+s.cpu(b)-server, theirs+w.postgresCPU()-postgres
		wal += w.wal() - logged
		rate := float64(n) / took.Seconds()
		rates, ofPgbench, ofPipeline = append(rates, rate), append(ofPgbench, 100*rate/plain), append(ofPipeline, 100*rate/pipelined)
	}
	b.StopTimer()
	report(b, "creates/s", rates)
	report(b, "%of-pgbench", ofPgbench)
	report(b, "%of-pipeline", ofPipeline)
	b.ReportMetric(each(ours, n*rounds), "cpu-ms/op")
	b.ReportMetric(each(theirs, n*rounds), "postgres-ms/op")
	b.ReportMetric(float64(wal)/float64(n*rounds), "wal-B/op")
	b.ReportMetric(w.together(), "creates/tx")
}

// together is how many of the server's bookings one transaction has made, on average.
func (w *world) together() (n float64) {
	w.b.Helper()
	const average = "SELECT count(*)::float / count(DISTINCT xmin::text) FROM bookings WHERE provider_id LIKE 'provider-%'"
	if err := w.pool.QueryRow(w.b.Context(), average).Scan(&n); err != nil {
		w.b.Fatal(err)
	}
	return n
}

// report reports the median of some rounds, and how far they spread.
func report(b *testing.B, unit string, values []float64) {
	b.Helper()
	b.ReportMetric(median(values), unit)
	b.ReportMetric(slices.Min(values), unit+"-min")
	b.ReportMetric(slices.Max(values), unit+"-max")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
