//go:build linux

package load

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"bookings/internal/feed"
	"bookings/internal/pause"
)

const (
	// missed is how many entries each reader has missed, after the one that it had.
	missed = 10
	// eventID is the id of a customer's entry, in SQL.
	eventID = `md5(reader || '-' || number)::uuid`
)

// fillFeeds gives each customer the entries, all of them of one booking.
func (w *world) fillFeeds(readers int) {
	w.b.Helper()
	w.exec(`
		WITH booking AS (
			INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
				reminder_due_time, reminder_state, create_time, update_time)
			VALUES (gen_random_uuid(), 'provider', 'customer', now(), now() + interval '1 hour', 'CONFIRMED', '', 1, 0,
				now(), 'SKIPPED', now(), now())
			RETURNING id
		)
		INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
		SELECT `+eventID+`, booking.id, 'booking.updated', now(), 'internal', '', now(), jsonb_build_object(
			'bookingId', booking.id, 'providerId', 'provider', 'customerId', 'customer', 'startTime', now(), 'endTime', now(),
			'status', 'BOOKING_STATUS_CONFIRMED', 'version', number)
		FROM booking, generate_series(1, $1::int) AS reader, generate_series(1, $2::int) AS number`, readers, missed+1)
	w.exec(`
		INSERT INTO feeds (role, user_id, head, newest_id, newest_ordinal)
		SELECT 'customer', 'customer-' || reader - 1, number, `+eventID+`, number
		FROM generate_series(1, $1::int) AS reader, (VALUES ($2::int)) AS newest (number)`, readers, missed+1)
	w.exec(`
		INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
		SELECT 'customer', 'customer-' || reader - 1, number, `+eventID+`,
			lag(`+eventID+`) OVER (PARTITION BY reader ORDER BY number)
		FROM generate_series(1, $1::int) AS reader, generate_series(1, $2::int) AS number`, readers, missed+1)
	w.exec(`ANALYZE`)
}

// firstIDs are the ids of what the readers have.
func (w *world) firstIDs(readers int) []string {
	w.b.Helper()
	ids := make([]string, readers)
	rows, err := w.pool.Query(w.b.Context(), `SELECT user_id, event_id::text FROM feed_entries WHERE sequence = 1`)
	if err != nil {
		w.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var user, id string
		var reader int
		if err := rows.Scan(&user, &id); err != nil {
			w.b.Fatal(err)
		}
		if _, err := fmt.Sscanf(user, "customer-%d", &reader); err != nil {
			w.b.Fatal(err)
		}
		ids[reader] = id
	}
	return ids
}

// BenchmarkResume has many readers come back at once, as after a server's restart, and
// tells how long it takes until the last has what it missed.
func BenchmarkResume(b *testing.B) {
	w := newWorld(b).withRedis()
	n := min(b.N, maxSockets)
	w.fillFeeds(n)
	ids := w.firstIDs(n)
	s := w.serve("MAX_CONNECTIONS=0", "MAX_CONNECTIONS_PER_ADDRESS=0")
	all := handshakes(n, func(i int) string { return "?after=1&after_id=" + ids[i] })
	s.resume(b, all) // the first time PostgreSQL's plans are made, and our pool
	var seconds []float64
	var cpu time.Duration
	b.ResetTimer()
	for range rounds {
		used, begun := s.cpu(b), time.Now()
		drop := s.resume(b, all)
		seconds, cpu = append(seconds, time.Since(begun).Seconds()), cpu+s.cpu(b)-used
		drop()
		pause.For(b.Context(), time.Second) // so that the end of the old ones is not counted with the next
	}
	b.StopTimer()
	report(b, "s-until-all", seconds)
	b.ReportMetric(each(cpu, n*rounds), "cpu-ms/socket")
}

// resume opens all sockets, waits until they have all that they missed, and returns
// what drops them.
func (s *server) resume(b *testing.B, all []string) (drop func()) {
	b.Helper()
	opened := make([]*socket, len(all))
	last := []byte(`"sequence":"` + feed.Sequence(missed+1) + `"`)
	s.openAll(b, all, len(all), func(i int, c *socket, ready []byte) (err error) {
		opened[i] = c
		if !bytes.Contains(ready, []byte(`"resumed":true`)) {
			return fmt.Errorf("it has not resumed: %s", ready)
		}
		var entry []byte
		for range missed {
			if entry, err = c.next(); err != nil {
				return err
			}
		}
		if !bytes.Contains(entry, last) {
			return fmt.Errorf("not the last entry: %s", entry)
		}
		return nil
	})
	return func() {
		for _, c := range opened {
			if c != nil {
				_ = c.conn.Close()
			}
		}
	}
}
