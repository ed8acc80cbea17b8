package bookingsvc_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// between is a closing of ben's from so many hours after noon to so many.
func between(from, to int) booking.Closing {
	return booking.Closing{From: at(from).Slot.Start, To: at(to).Slot.Start, Reason: "ill"}
}

// fillDays books so many half hours of ben's, each for a customer of its own.
func (d *desk) fillDays(n int) []booking.Booking {
	d.t.Helper()
	all := make([]booking.Booking, n)
	for i := range all {
		request := at(1)
		request.Slot.Start = request.Slot.Start.Add(time.Duration(i) * 30 * time.Minute)
		request.Slot.End = request.Slot.Start.Add(30 * time.Minute)
		request.CustomerID = fmt.Sprint("customer-", i)
		all[i] = d.book(ben, request)
	}
	return all
}

// cancelAll calls off a time that nothing forbids to call off.
func (d *desk) cancelAll(by booking.Actor, closing booking.Closing) ([]bookingsvc.Outcome, bool) {
	d.t.Helper()
	outcomes, more, err := d.CancelAll(d.t.Context(), by, closing)
	if err != nil {
		d.t.Fatal(err)
	}
	return outcomes, more
}

func TestABadDayIsCalledOffAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, by := range []booking.Actor{ben, booking.Internal} {
		d := open(t)
		early, late := d.book(ben, forAnna(1)), d.book(ben, forAnna(5))
		last, first := d.book(anna, at(4)), d.book(ben, forAnna(2))
		cancelled := d.do(ben, d.book(anna, at(3)), booking.Cancel("before"))
		elsewhere := at(3)
		elsewhere.ProviderID = dora.ID
		others := d.book(anna, elsewhere)
		d.clock.advance(3 * time.Hour)
		done := d.do(ben, first, booking.Complete())
		d.clock.set(noon)
		pending := d.book(carl, at(3))

		closing := between(2, 5)
		closing.ProviderID = ben.ID
		outcomes, more := d.cancelAll(by, closing)
		if len(outcomes) != 2 || more || outcomes[0].ID != pending.ID || outcomes[1].ID != last.ID {
			t.Fatalf("%d outcomes, more: %t", len(outcomes), more)
		}
		for _, outcome := range outcomes {
			want := booking.Cancellation{Reason: "ill", By: by.Role, Time: noon}
			if got := d.stored(outcome.Booking); outcome.Err != nil || !reflect.DeepEqual(got, outcome.Booking) || *got.Cancellation != want {
				t.Errorf("answered %+v\nstored   %+v", outcome, got)
			}
		}
		for _, untouched := range []booking.Booking{early, late, cancelled, others, done} {
			if got := d.stored(untouched); !reflect.DeepEqual(got, untouched) {
				t.Errorf("was %+v\nis  %+v", untouched, got)
			}
		}
		if again, more := d.cancelAll(by, closing); len(again) != 0 || more {
			t.Errorf("again: %d outcomes, more: %t", len(again), more)
		}
		d.checkFeeds()
		d.checkJobs()
	}
}

func TestABadDayIsNotForCustomersOrOthers(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.book(anna, at(1))
	closing := between(0, 10)
	closing.ProviderID = ben.ID
	for _, by := range []booking.Actor{anna, dora, {Role: booking.RoleCustomer, ID: ben.ID}} {
		_, _, err := d.CancelAll(t.Context(), by, closing)
		refused(t, err, booking.ReasonNotAllowed)
	}
	if got := d.stored(b); got.Status != booking.StatusPending {
		t.Errorf("it is %s", got.Status)
	}
}

// Ill at eight, everyone told by one past eight.
func TestTwoHundredAreCalledOffInOneCall(t *testing.T) {
	t.Parallel()
	d := open(t)
	all := d.fillDays(bookingsvc.MaxPageSize + 1)
	began := time.Now()
	outcomes, more := d.cancelAll(ben, between(0, 24*31))
	t.Logf("%d bookings in %v", len(outcomes), time.Since(began))
	if len(outcomes) != bookingsvc.MaxPageSize || !more {
		t.Fatalf("%d outcomes, more: %t", len(outcomes), more)
	}
	for i, outcome := range outcomes {
		if outcome.Err != nil || outcome.ID != all[i].ID || outcome.Booking.Status != booking.StatusCancelled {
			t.Errorf("outcome %d: %+v", i, outcome)
		}
	}
	rest, more := d.cancelAll(ben, between(0, 24*31))
	if len(rest) != 1 || more || rest[0].ID != all[len(all)-1].ID {
		t.Errorf("then %d outcomes, more: %t", len(rest), more)
	}
	d.checkFeeds()
	d.checkJobs()
}

// impatient are connections that wait for no lock for long.
func impatient(t *testing.T) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["lock_timeout"] = "100ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestOneThatFailsStopsNoOther(t *testing.T) {
	t.Parallel()
	d := openOn(t, impatient(t))
	all := d.fillDays(5)
	tx, err := d.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }() // or the pool would wait for it
	if _, err := tx.Exec(t.Context(), "SELECT FROM bookings WHERE id = $1 FOR UPDATE", all[2].ID); err != nil {
		t.Fatal(err)
	}
	outcomes, more := d.cancelAll(ben, between(0, 10))
	if len(outcomes) != 5 || more {
		t.Fatalf("%d outcomes, more: %t", len(outcomes), more)
	}
	for i, outcome := range outcomes {
		if i == 2 {
			refused(t, outcome.Err, booking.ReasonDatabaseUnavailable)
			continue
		}
		if outcome.Err != nil || outcome.Booking.Status != booking.StatusCancelled {
			t.Errorf("outcome %d: %+v", i, outcome)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rest, _ := d.cancelAll(ben, between(0, 10)); len(rest) != 1 || rest[0].Err != nil || rest[0].ID != all[2].ID {
		t.Errorf("then %+v", rest)
	}
	d.checkFeeds()
	d.checkJobs()
}

// Whoever gives up half way, or has no more time, is told what was done.
func TestWhatWasDoneIsSaidWhenTheTimeRunsOut(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.fillDays(60)
	reader, err := d.Feeds.Subscribe(t.Context(), feed.Key{Role: ben.Role, User: ben.ID}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		for range 5 {
			_, _ = reader.Next(t.Context())
		}
		giveUp()
	}()
	outcomes, more, err := d.CancelAll(ctx, ben, between(0, 100))
	if err != nil || !more || len(outcomes) < 5 || len(outcomes) > 50 {
		t.Fatalf("%d outcomes, more: %t, %v", len(outcomes), more, err)
	}
	for i, outcome := range outcomes {
		if uncertain := i == len(outcomes)-1; outcome.Err != nil && !uncertain {
			t.Errorf("outcome %d: %v", i, outcome.Err)
		}
		if outcome.Err == nil && d.stored(outcome.Booking).Status != booking.StatusCancelled {
			t.Errorf("outcome %d is not stored", i)
		}
	}
	tried := value[int](d, "SELECT count(*) FROM bookings WHERE status = 'CANCELLED'")
	if tried != len(outcomes) && tried != len(outcomes)-1 {
		t.Errorf("%d were cancelled, and %d are told", tried, len(outcomes))
	}
}

// A deadline is kept with time to spare: there is an answer before it.
func TestTheAnswerComesBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	d := openOn(t, impatient(t))
	all := d.fillDays(200)
	tx, err := d.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM bookings WHERE provider_id = 'ben' FOR UPDATE"); err != nil {
		t.Fatal(err) // each waits for 100 ms: 20 s for all
	}
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
	defer stop()
	outcomes, more, err := d.CancelAll(ctx, ben, between(0, 24*31))
	if err != nil || !more || len(outcomes) == 0 || len(outcomes) == len(all) || ctx.Err() != nil {
		t.Fatalf("%d outcomes, more: %t, %v, %v", len(outcomes), more, err, ctx.Err())
	}
}

// What is moved out of the day or cancelled while it is called off is no failure.
func TestABadDayAndItsCustomersMeet(t *testing.T) {
	t.Parallel()
	d := openOn(t, openPool(t, pgtest.URL(t)))
	all := d.fillDays(30)
	out := make(chan []bookingsvc.Outcome, 1)
	go func() {
		outcomes, _ := d.cancelAll(ben, between(0, 20))
		out <- outcomes
	}()
	race(6, func(i int) bool {
		for n, b := range all {
			if n%6 != i {
				continue
			}
			customer := booking.Actor{Role: booking.RoleCustomer, ID: b.CustomerID}
			var err error
			if n%2 == 0 {
				_, err = d.Reschedule(t.Context(), customer, target(b), to(100+2*n))
			} else {
				_, err = d.Change(t.Context(), customer, target(b), booking.Cancel("mine"))
			}
			if reason := reasonOf(t, err); reason != "" && reason != booking.ReasonInvalidTransition {
				t.Errorf("a customer is answered %v", err)
			}
		}
		return true
	})
	outcomes := <-out
	for _, outcome := range outcomes {
		if outcome.Err != nil {
			t.Errorf("outcome %v", outcome.Err)
		}
	}
	for _, b := range all {
		now := d.stored(b)
		inTime := now.Slot.Start.Before(at(20).Slot.Start)
		tried := slices.ContainsFunc(outcomes, func(o bookingsvc.Outcome) bool { return o.ID == b.ID })
		if inTime == now.Status.Active() || now.Status == booking.StatusCancelled && now.Cancellation.Reason == "ill" && !tried {
			t.Errorf("%s at %v, tried: %t, %+v", now.Status, now.Slot.Start, tried, now.Cancellation)
		}
	}
	d.checkFeeds()
	d.checkJobs()
}
