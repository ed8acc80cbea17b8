package remind_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/expire"
	"bookings/internal/jobs"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

// between books a minute of a provider for a customer.
func (d *desk) between(provider, customer string, startsIn time.Duration) booking.Booking {
	d.t.Helper()
	start := d.Now().Add(startsIn)
	created, err := d.Create(d.t.Context(), booking.Actor{Role: booking.RoleProvider, ID: provider},
		booking.Request{CustomerID: customer, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
	if err != nil {
		d.t.Fatal(err)
	}
	return created.Booking
}

// busy has the worker work a batch of one that does not end before the transaction
// does: what is due meanwhile gathers.
func (d *desk) busy() (held pgx.Tx) {
	d.t.Helper()
	b := d.between("busy", "held", 40*day)
	held = d.lock("SELECT FROM bookings WHERE id = $1 FOR UPDATE", b.ID)
	d.hurryOne(b)
	pgtest.EventuallyBlocks(d.t, d.Pool.Pool, held)
	return held
}

// lock is a transaction that has some rows.
func (d *desk) lock(sql string, args ...any) pgx.Tx {
	d.t.Helper()
	tx, err := d.Pool.Begin(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(d.t.Context())) })
	if _, err := tx.Exec(d.t.Context(), sql, args...); err != nil {
		d.t.Fatal(err)
	}
	return tx
}

func (d *desk) release(held pgx.Tx) {
	d.t.Helper()
	if err := held.Commit(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// gathered lets what is scheduled run, and waits until so many jobs wait for a batch.
func (d *desk) gathered(n int) {
	d.t.Helper()
	d.hurry()
	pgtest.Eventually(d.t, "jobs that wait for a batch", func() bool { return d.worker.Waiting() == n })
}

// checkTogether looks for the one transaction of the reminders of bookings, which has
// completed their jobs too. River's own completion changes no row that is complete.
func (d *desk) checkTogether(all []booking.Booking) {
	d.t.Helper()
	ids := make([]string, len(all))
	for i, b := range all {
		ids[i] = b.ID.String()
	}
	const transactions = "SELECT count(DISTINCT xmin::text) FROM booking_events WHERE type = 'booking.reminder.due' AND booking_id = ANY ($1::uuid[])"
	if n := value[int](d, transactions, ids); n != 1 {
		d.t.Errorf("the reminders are of %d transactions", n)
	}
	d.none("jobs that were not completed in the transaction of their reminder", `
		SELECT count(*) FROM booking_events AS event JOIN river_job ON args->>'bookingId' = booking_id::text
		WHERE type = 'booking.reminder.due' AND booking_id = ANY ($1::uuid[]) AND event.xmin <> river_job.xmin`, ids)
}

// checkFeeds looks for feeds with gaps, in more than one history, or out of order.
func (d *desk) checkFeeds() {
	d.t.Helper()
	d.checkReminders()
	d.none("entries that do not follow on the one before", `
		SELECT count(*) FROM (
			SELECT sequence, previous_id, ordinal,
			       row_number() OVER feed AS place, lag(event_id) OVER feed AS event_before, lag(ordinal) OVER feed AS ordinal_before
			FROM feed_entries JOIN booking_events ON id = event_id
			WINDOW feed AS (PARTITION BY role, user_id ORDER BY sequence)
		) AS entry
		WHERE sequence <> place OR previous_id IS DISTINCT FROM event_before OR ordinal <= ordinal_before`)
	d.none("feeds whose newest entry is another", `
		SELECT count(*) FROM feeds
		LEFT JOIN feed_entries AS entry ON (entry.role, entry.user_id, sequence) = (feeds.role, feeds.user_id, head)
		LEFT JOIN booking_events ON id = event_id
		WHERE newest_id IS DISTINCT FROM event_id OR head > 0 AND newest_ordinal <> ordinal
		   OR feeds.role <> 'all' AND feeds.previous_id IS DISTINCT FROM entry.previous_id`)
	d.none("events that are in another number of feeds than their parties'", `
		SELECT count(*) FROM booking_events JOIN bookings ON bookings.id = booking_id
		WHERE 2 <> (
			SELECT count(*) FROM feed_entries WHERE event_id = booking_events.id
			AND (role, user_id) IN (('provider', provider_id), ('customer', customer_id))
		)`)
	d.none("events that the feed of everything does not get once", `
		SELECT count(*) FROM booking_events WHERE 1 <> (
			(SELECT count(*) FROM event_outbox WHERE (ordinal, event_id) = (booking_events.ordinal, id))
			+ (SELECT count(*) FROM feed_entries WHERE role = 'all' AND event_id = id)
		)`)
}

// mixed is a batch of bookings that have each other's parties, and whose reminder may
// have become none since its job was fetched.
type mixed struct{ reminded, cancelled, moved, again []booking.Booking }

func (d *desk) mix() (m mixed) {
	starts := time.Duration(0)
	next := func() time.Duration { starts += time.Hour; return 21*day + starts }
	for i := range 5 { // several of one provider, of one customer, and crossed pairs
		one, other := fmt.Sprint("u", i%3), fmt.Sprint("u", i%3+1)
		m.reminded = append(m.reminded, d.between(one, other, next()), d.between(other, one, next()), d.between("popular", one, next()), d.between(one, "keen", next()))
	}
	m.cancelled = append(m.cancelled, d.between("u1", "keen", next()))
	m.moved = append(m.moved, d.between("u2", "keen", next()))
	m.again = append(m.again, d.between("u3", "keen", next()))
	return m
}

func TestABatchDoesWithEachBookingWhatItWouldAlone(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day, 10*day)
	d.work()
	m := d.mix()
	held := d.busy()
	for _, b := range m.again { // was reminded of this start before
		exec(t, d.Pool.Pool, `INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
			VALUES (gen_random_uuid(), $1, 'booking.reminder.due', now(), 'internal', '', $2, '{"leadSeconds": 1728000}')`, b.ID, b.Slot.Start)
	}
	if _, err := d.Jobs.Insert(t.Context(), remind.Args{BookingID: bookingNobodyHas}, nil); err != nil {
		t.Fatal(err)
	}
	d.gathered(len(m.reminded) + len(m.cancelled) + len(m.moved) + len(m.again) + 1)
	for _, b := range m.cancelled {
		d.change(b, booking.Cancel(""))
	}
	for _, b := range m.moved {
		d.move(b, 100*day)
	}
	d.release(held)
	d.eventuallyFailed(remind.Args{BookingID: bookingNobodyHas}) // and that one alone
	exec(t, d.Pool.Pool, "DELETE FROM river_job WHERE args->>'bookingId' = $1", bookingNobodyHas.String())
	d.rested()

	d.checkTogether(m.reminded)
	for _, b := range m.reminded {
		d.checkReminder(b, booking.ReminderScheduled, 1)
	}
	for _, b := range m.cancelled {
		d.checkReminder(b, booking.ReminderSkipped, 0)
	}
	for _, b := range m.moved {
		d.checkReminder(b, booking.ReminderScheduled, 0)
	}
	for _, b := range m.again {
		d.checkReminder(b, booking.ReminderScheduled, 1)
		exec(t, d.Pool.Pool, "DELETE FROM booking_events WHERE booking_id = $1 AND type = 'booking.reminder.due'", b.ID)
	}
	d.checkJobsToCome()
	d.checkFeeds()
	for range 2 { // leads are left of those that were moved
		d.hurry()
		d.rested()
	}
	for _, b := range m.reminded {
		if got, want := d.told(b), []time.Duration{20 * day, 10 * day}; !slices.Equal(got, want) {
			t.Errorf("told %v, not %v", got, want)
		}
	}
	d.checkFeeds()
}

// A switch-over by logical replication leaves the sequence behind its table.
func TestABatchKeepsTheOrderOfFeedsWhereTheSequenceIsBehind(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	d.work()
	all := d.several(10)
	held := d.busy()
	exec(t, d.Pool.Pool, "SELECT setval('booking_events_ordinal_seq', 1)")
	d.gathered(len(all))
	d.release(held)
	d.drained()
	d.checkTogether(all)
	d.checkFeeds()
}

// several are bookings whose reminder is to come, of three providers and two customers.
func (d *desk) several(n int) (all []booking.Booking) {
	for i := range n {
		all = append(all, d.between(fmt.Sprint("p", i%3), fmt.Sprint("c", i%2), 21*day+time.Duration(i)*time.Hour))
	}
	return all
}

func TestAFeedThatSomebodyHasDelaysNoOthersReminders(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	all := d.several(12)
	held := d.lock("SELECT FROM feeds WHERE role = 'provider' AND user_id = 'p1' FOR NO KEY UPDATE")
	d.hurry()
	d.work()
	pgtest.EventuallyBlocks(t, d.Pool.Pool, held) // one waits alone
	pgtest.Eventually(t, "the reminders of the others", func() bool {
		return value[int](d, "SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'") == 8
	})
	for _, b := range all {
		if b.ProviderID == "p1" {
			d.checkReminder(b, booking.ReminderScheduled, 0)
		}
	}
	d.release(held)
	d.drained()
	for _, b := range all {
		d.checkReminder(b, booking.ReminderSent, 1)
	}
	d.checkFeeds()
}

// A batch is all or nothing; each of its jobs is worked alone after it.
func TestABatchThatDiesLeavesNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	d.work()
	all := d.several(12)
	held := d.busy()
	d.gathered(len(all))
	exec(t, d.Pool.Pool, dyingInBatches)
	d.release(held)
	d.drained()
	if !d.log.contains("a batch of reminders has failed") {
		t.Error("no batch has died")
	}
	for _, b := range all {
		d.checkReminder(b, booking.ReminderSent, 1)
	}
	d.checkFeeds()
}

// dyingInBatches breaks the connection of each transaction that has written more than
// one reminder, when COMMIT has come.
const dyingInBatches = `
	CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF (SELECT count(*) FROM booking_events WHERE xmin::text = pg_current_xact_id()::xid::text) > 1 THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
			PERFORM pg_sleep(60);
		END IF;
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON booking_events DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW WHEN (NEW.type = 'booking.reminder.due') EXECUTE FUNCTION die()`

// One reminder that PostgreSQL refuses is tried again, and alone.
func TestABookingAtFaultStopsNoOthersOfItsBatch(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	d.work()
	all := d.several(12)
	bad := all[5]
	exec(t, d.Pool.Pool, fmt.Sprintf("ALTER TABLE booking_events ADD CONSTRAINT bad CHECK (booking_id <> '%s' OR type <> 'booking.reminder.due')", bad.ID))
	held := d.busy()
	d.gathered(len(all))
	d.release(held)
	d.eventuallyFailed(remind.Args{BookingID: bad.ID})
	pgtest.Eventually(t, "the reminders of the others", func() bool {
		return value[int](d, "SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'") == len(all)
	})
	d.none("jobs of others that failed", "SELECT count(*) FROM river_job WHERE errors IS NOT NULL AND args->>'bookingId' <> $1", bad.ID.String())
	exec(t, d.Pool.Pool, "ALTER TABLE booking_events DROP CONSTRAINT bad")
	exec(t, d.Pool.Pool, "UPDATE river_job SET state = 'available', scheduled_at = now(), errors = NULL WHERE errors IS NOT NULL AND finalized_at IS NULL")
	d.drained()
	d.checkReminder(bad, booking.ReminderSent, 1)
	d.checkFeeds()
}

func TestAWorkerThatIsStoppedInABatchLeavesItToOthers(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	client, err := jobs.NewWorker(d.Pool, d.worker.Log, d.Now, d.worker, &expire.Worker{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := d.several(12)
	held := d.busy()
	d.gathered(len(all))
	next := d.lock("SELECT FROM bookings WHERE id = $1 FOR UPDATE", all[0].ID)
	d.release(held)
	pgtest.EventuallyBlocks(t, d.Pool.Pool, next)
	if err := client.StopAndCancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.none("reminders of a worker that was stopped", "SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due' AND booking_id <> $1",
		value[string](d, "SELECT id::text FROM bookings WHERE provider_id = 'busy'"))
	d.release(next)
	d.work()
	pgtest.Eventually(t, "the reminders of all", func() bool {
		return value[int](d, "SELECT count(*) FROM bookings WHERE reminder_state = 'SENT'") == len(all)+1
	})
	for _, b := range all {
		d.checkReminder(b, booking.ReminderSent, 1)
	}
	d.checkFeeds()
}

// Everybody is everybody's provider and customer, and two workers share the queue.
func TestBatchesAndCallsNeverWaitForEachOtherInACircle(t *testing.T) {
	t.Parallel()
	d := open(t, 20*day)
	d.work()
	other := *d // a second worker on the same database
	other.worker = &remind.Worker{Pool: d.Pool, Feeds: d.Feeds, Log: d.worker.Log}
	other.work()
	var all sync.WaitGroup
	for i := range players {
		all.Go(func() { d.meddle(i) })
	}
	all.Wait()
	d.hurry()
	d.drained()
	d.checkFeeds()
	d.Pool.Reset() // connections tell what they have counted when they end
	pgtest.Eventually(t, "the end of the connections that have worked", func() bool {
		return value[int](d, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%FeedAppend%'") == 0
	})
	d.none("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}

// meddle books, and lets be due, cancels or moves what it has booked.
func (d *desk) meddle(player int) {
	random := rand.New(rand.NewPCG(uint64(player), 2))
	for i := range rounds() / players * 2 {
		users := random.Perm(6)[:2]
		by := booking.Actor{Role: booking.RoleProvider, ID: fmt.Sprint("u", users[0])}
		start := d.Now().Add(21*day + time.Duration(player*10000+i)*time.Minute)
		created, err := d.Create(d.t.Context(), by, booking.Request{CustomerID: fmt.Sprint("u", users[1]), Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
		if err != nil {
			d.t.Error(err)
			return
		}
		d.hurryOne(created.Booking)
		target := bookingsvc.Target{ID: created.Booking.ID}
		switch random.IntN(3) {
		case 0:
			_, err = d.Change(d.t.Context(), by, target, booking.Cancel(""))
		case 1:
			start = start.Add(40 * day)
			_, err = d.Reschedule(d.t.Context(), by, target, bookingsvc.Move{Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			d.t.Error(err)
		}
	}
}
