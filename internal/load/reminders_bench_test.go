//go:build linux

package load

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"bookings/internal/pause"
)

// due is bookings, of many providers and customers, with a reminder each that waits to
// be let loose: its job is scheduled for a time that does not come.
const due = `
	WITH given AS (
		SELECT gen_random_uuid() AS id, nextval('river_job_id_seq') AS job_id,
		       'due-' || i % 2000 AS provider_id, 'due-for-' || i % 7001 AS customer_id,
		       date_trunc('hour', now()) + interval '1 day' + i / 2000 * interval '1 hour' AS start_time
		FROM generate_series($1::int, $2::int) AS i
	), jobs AS (
		INSERT INTO river_job (id, args, kind, queue, state, scheduled_at, max_attempts)
		SELECT job_id, jsonb_build_object('bookingId', id, 'moves', 0, 'leadSeconds', 2592000, 'requestId', 'load'),
		       'reminder', 'reminders', 'scheduled', 'infinity', 25
		FROM given
	), made AS (
		INSERT INTO feeds (role, user_id)
		SELECT 'provider', provider_id FROM given
		UNION
		SELECT 'customer', customer_id FROM given
		ON CONFLICT DO NOTHING
	)
	INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
		reminder_leads, reminder_due_time, reminder_state, reminder_job_id, create_time, update_time)
	SELECT id, provider_id, customer_id, start_time, start_time + interval '50 minutes', 'CONFIRMED', '', 1, 0,
	       '{2592000}', start_time - interval '30 days', 'SCHEDULED', job_id, now(), now()
	FROM given`

// withReminders has bookings whose reminders are to come, and a server that works them.
func (w *world) withReminders(n int) *server {
	w.b.Helper()
	for i := 0; i < n; i += 1000 {
		w.exec(due, i, min(i+1000, n)-1)
	}
	return w.serve()
}

// letLoose makes reminders due.
func (w *world) letLoose(n int) {
	w.b.Helper()
	w.exec(`UPDATE river_job SET state = 'available', scheduled_at = clock_timestamp()
		WHERE id IN (SELECT id FROM river_job WHERE state = 'scheduled' AND scheduled_at = 'infinity' LIMIT $1)`, n)
}

// awaitReminders waits until so many have gone out.
func (w *world) awaitReminders(n int) {
	w.b.Helper()
	const left = `SELECT count(*) FROM river_job WHERE kind = 'reminder' AND (state = 'available' OR state = 'running' OR scheduled_at = 'infinity')`
	for {
		var count int
		if err := w.pool.QueryRow(w.b.Context(), left).Scan(&count); err != nil {
			w.b.Fatal(err)
		}
		if count == 0 {
			break
		}
		pause.For(w.b.Context(), 100*time.Millisecond)
	}
	var sent int
	if err := w.pool.QueryRow(w.b.Context(), "SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'").Scan(&sent); err != nil || sent != n {
		w.b.Fatal("sent: ", sent, err)
	}
}

// lateness is how long after they were due reminders have gone out, in ms: the median,
// what all but one in a hundred keep, and the longest.
func (w *world) lateness() (quantiles []float64) {
	w.b.Helper()
	if err := w.pool.QueryRow(w.b.Context(), `
		SELECT percentile_cont('{0.5,0.99,1}'::float8[]) WITHIN GROUP (ORDER BY extract(EPOCH FROM time - scheduled_at) * 1000)
		FROM booking_events JOIN river_job ON args->>'bookingId' = booking_id::text
		WHERE type = 'booking.reminder.due'`).Scan(&quantiles); err != nil {
		w.b.Fatal(err)
	}
	return quantiles
}

func (w *world) reportLateness() {
	w.b.Helper()
	for i, name := range []string{"p50-ms-late", "p99-ms-late", "max-ms-late"} {
		w.b.ReportMetric(w.lateness()[i], name)
	}
}

// BenchmarkRemindersDueAtOnce has so many reminders due at the same time.
func BenchmarkRemindersDueAtOnce(b *testing.B) {
	w := newWorld(b)
	s := w.withReminders(b.N)
	ours, theirs := s.cpu(b), w.postgresCPU()
	b.ResetTimer()
	w.letLoose(b.N)
	w.awaitReminders(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reminders/s")
	b.ReportMetric(each(s.cpu(b)-ours, b.N), "cpu-ms/op")
	b.ReportMetric(each(w.postgresCPU()-theirs, b.N), "postgres-ms/op")
	w.reportLateness()
}

// BenchmarkRemindersDueAtOnceDuringCreates does so while bookings are made: at a steady
// rate, and as many as the server can take.
func BenchmarkRemindersDueAtOnceDuringCreates(b *testing.B) {
	for name, limit := range map[string]rate.Limit{"500 a second": 500, "as many as can be": rate.Inf} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			s := w.withReminders(b.N)
			made, stop := s.createOn(b, limit)
			b.ResetTimer()
			before := made.Load()
			w.letLoose(b.N)
			w.awaitReminders(b.N)
			b.StopTimer()
			b.ReportMetric(float64(made.Load()-before)/b.Elapsed().Seconds(), "creates/s")
			stop()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reminders/s")
			w.reportLateness()
		})
	}
}

// createOn makes bookings, so many a second at most, until it is stopped.
func (s *server) createOn(b *testing.B, limit rate.Limit) (made *atomic.Int64, stop func()) {
	b.Helper()
	const turn = 2 * workers
	ctx, cancel := context.WithCancel(b.Context())
	made = new(atomic.Int64)
	next, ended := creates(), make(chan struct{})
	limiter := rate.NewLimiter(limit, turn)
	go func() {
		defer close(ended)
		for limiter.WaitN(ctx, turn) == nil {
			first := int(made.Load())
			s.run(b, turn, func(i int) string { return next(first + i) })
			made.Add(turn)
		}
	}()
	return made, func() { cancel(); <-ended }
}

// BenchmarkRemindersDueInASecond has a thousand due in the course of one second, during
// creates.
func BenchmarkRemindersDueInASecond(b *testing.B) {
	const n, steps = 1000, 20
	w := newWorld(b)
	s := w.withReminders(n)
	_, stop := s.createOn(b, rate.Inf)
	for range steps {
		w.letLoose(n / steps)
		pause.For(b.Context(), time.Second/steps)
	}
	w.awaitReminders(n)
	stop()
	w.reportLateness()
}
