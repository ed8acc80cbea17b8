package bookingjob

import (
	"time"

	"bookings/internal/pgbatch"
)

// cancelSQL is what River's client does to a job that has not begun. It would also
// end one that is running, in the middle of what it writes.
const cancelSQL = `UPDATE river_job
	SET state = 'cancelled', finalized_at = now(), metadata = jsonb_set(metadata, '{cancel_attempted_at}', to_jsonb($2::text))
	WHERE id = $1 AND state IN ('available', 'pending', 'retryable', 'scheduled')`

// Cancel adds to a batch that a job of a booking is taken back. One that is gone,
// done or running is left alone: its worker re-reads the booking.
func Cancel(batch *pgbatch.Batch, id int64, now time.Time) {
	batch.Queue(cancelSQL, id, now.UTC().Format(time.RFC3339Nano))
}
