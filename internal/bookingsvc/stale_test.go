package bookingsvc_test

import (
	"testing"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

// A migration changes a table under a server that runs: no call may notice.
func TestATableThatIsChangedUnderTheServerFailsNoCall(t *testing.T) {
	t.Parallel()
	pool, err := pgpool.Open(t.Context(), pgtest.URL(t), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	d := openOn(t, pool.Pool)
	d.Pool = pool
	d.warm()
	b := d.book(anna, at(60))
	calls := map[string]func() error{
		"get": func() error { _, err := d.Get(t.Context(), anna, b.ID); return err },
		"list": func() error {
			_, _, err := d.List(t.Context(), anna, bookingsvc.ListRequest{})
			return err
		},
		"history": func() error {
			_, _, err := d.History(t.Context(), anna, bookingsvc.HistoryRequest{ID: b.ID})
			return err
		},
		"confirm":     func() error { _, err := d.Change(t.Context(), ben, target(b), booking.Confirm()); return err },
		"move":        func() error { _, err := d.Reschedule(t.Context(), ben, target(b), only(to(61))); return err },
		"create":      func() error { _, err := d.Create(t.Context(), ben, tried(forAnna(70))); return err },
		"key, broken": func() error { _, err := d.Create(t.Context(), anna, with("warm-0", at(-1))); return expect(err) },
	}
	for name, call := range calls {
		for _, noteType := range []string{"varchar(2000)", "text"} {
			if err := call(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			change := "ALTER TABLE bookings ALTER COLUMN note TYPE " + noteType + "; ALTER TABLE booking_events ALTER COLUMN actor_id TYPE " + noteType
			if _, err := pool.Pool.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if err := call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// expect lets a refusal of the domain's pass.
func expect(err error) error {
	if booking.IsReason(err, booking.ReasonIdempotencyKeyReused) {
		return nil
	}
	return err
}
