package bookingsvc_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
)

// A create whose INSERT wrote nothing has its event in the same batch.
func TestAnEventWithoutItsBookingWritesNothingAndTakesNoNumber(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.book(anna, at(1))
	before := d.rows()
	_, event, err := booking.Confirm().Apply(b, ben, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	event.BookingID = uuid.Max
	var entries []feed.Entry
	err = pgx.BeginFunc(t.Context(), d.pool, func(tx pgx.Tx) error {
		if _, err := bookingdb.Lock(t.Context(), tx, bookingdb.Parties{ID: b.ID, ProviderID: b.ProviderID, CustomerID: b.CustomerID}); err != nil {
			return err
		}
		var batch pgbatch.Batch
		feed.Append(&batch, *event, &entries)
		return batch.Send(t.Context(), tx)
	})
	if after := d.rows(); err != nil || len(entries) != 0 || !reflect.DeepEqual(after, before) {
		t.Errorf("entries %v, %v: %v before, %v after", entries, err, before, after)
	}
	d.checkFeeds()
}

// Each query counts what must not be.
var feedFaults = map[string]string{
	"feeds whose head is not the highest entry, or whose numbers have gaps": `
		SELECT count(*) FROM feeds
		LEFT JOIN (
			SELECT role, user_id, count(*) AS entries, min(sequence) AS first, max(sequence) AS last
			FROM feed_entries GROUP BY role, user_id
		) AS numbers USING (role, user_id)
		WHERE head <> coalesce(last, 0) OR head <> coalesce(entries, 0) OR coalesce(first, 1) <> 1`,
	"entries of a feed that there is not": `
		SELECT count(*) FROM feed_entries LEFT JOIN feeds USING (role, user_id) WHERE head IS NULL`,
	"entries of an event that there is not": `
		SELECT count(*) FROM feed_entries LEFT JOIN booking_events ON id = event_id WHERE id IS NULL`,
	"events that are not in exactly their parties' two feeds": `
		SELECT count(*) FROM booking_events
		JOIN bookings ON bookings.id = booking_id
		WHERE ARRAY['customer/' || customer_id, 'provider/' || provider_id] IS DISTINCT FROM (
			SELECT array_agg(role || '/' || user_id ORDER BY role) FROM feed_entries WHERE event_id = booking_events.id
		)`,
	"entries out of the order of their booking's history": `
		SELECT count(*) FROM (
			SELECT ordinal, lag(ordinal) OVER (PARTITION BY role, user_id, booking_id ORDER BY sequence) AS earlier
			FROM feed_entries JOIN booking_events ON id = event_id
		) AS entries WHERE earlier > ordinal`,
}

// checkFeeds looks for numbers that a reader would stumble over.
func (d *desk) checkFeeds() {
	d.t.Helper()
	for what, query := range feedFaults {
		if n := value[int](d, query); n != 0 {
			d.t.Errorf("there are %d %s", n, what)
		}
	}
}

const overlaps = `
	SELECT count(*) FROM bookings AS one
	JOIN bookings AS other ON other.provider_id = one.provider_id AND other.id > one.id
		AND tstzrange(other.start_time, other.end_time) && tstzrange(one.start_time, one.end_time)
	WHERE one.status IN ('PENDING', 'CONFIRMED') AND other.status IN ('PENDING', 'CONFIRMED')`

// watchOverlaps looks all the time, until stop, for a provider who is booked
// twice at once.
func (d *desk) watchOverlaps() (stop func()) {
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			var n int
			err := d.pool.QueryRow(d.t.Context(), overlaps).Scan(&n)
			if err != nil || n != 0 {
				d.t.Errorf("%d overlaps, %v", n, err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// checkJobs looks for reminders and jobs that are out of step.
func (d *desk) checkJobs() {
	d.t.Helper()
	for what, query := range map[string]string{
		"scheduled reminders without a waiting job": `
			SELECT count(*) FROM bookings LEFT JOIN river_job ON river_job.id = reminder_job_id
			WHERE reminder_state = 'SCHEDULED'
				AND (state IS NULL OR state IN ('cancelled', 'completed', 'discarded')
					OR args->>'bookingId' <> bookings.id::text OR (args->>'moves')::int <> moves
					OR scheduled_at < reminder_due_time)`,
		"waiting jobs without a scheduled reminder": `
			SELECT count(*) FROM river_job LEFT JOIN bookings ON river_job.id = reminder_job_id AND reminder_state = 'SCHEDULED'
			WHERE state IN ('available', 'scheduled', 'retryable', 'pending') AND bookings.id IS NULL`,
	} {
		if n := value[int](d, query); n != 0 {
			d.t.Errorf("there are %d %s", n, what)
		}
	}
}
