package remind_test

import (
	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

var bookingNobodyHas = uuid.MustParse("01977d4e-3c1a-7c2b-9d5e-0123456789ab")

const (
	done   = "SELECT count(*) > 0 FROM river_job WHERE args->>'bookingId' = $1 AND (args->>'moves')::int = $2 AND state = 'completed'"
	failed = "SELECT count(*) > 0 FROM river_job WHERE args->>'bookingId' = $1 AND (args->>'moves')::int = $2 AND cardinality(errors) > 0"
)

func (d *desk) eventuallyDone(args remind.Args) {
	d.t.Helper()
	pgtest.Eventually(d.t, "a job that is done", func() bool { return value[bool](d, done, args.BookingID.String(), args.Moves) })
}

func (d *desk) eventuallyFailed(args remind.Args) {
	d.t.Helper()
	pgtest.Eventually(d.t, "a job that has failed", func() bool { return value[bool](d, failed, args.BookingID.String(), args.Moves) })
}

// eventuallyLogged waits for a line about a booking.
func (d *desk) eventuallyLogged(b booking.Booking) {
	d.t.Helper()
	pgtest.Eventually(d.t, "a line in the log", func() bool { return d.log.contains(b.ID.String()) })
}
