package remind_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/remind"
)

func TestAReminderThatIsDueReachesBothPartiesOnce(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	d.work()
	readers := []*feed.Subscription{d.subscribe(anna), d.subscribe(ben)}
	b := d.book(5 * time.Minute)
	var told []feed.Entry
	for _, reader := range readers {
		next(t, reader, booking.EventCreated)
		told = append(told, next(t, reader, booking.EventReminderDue))
	}
	d.drained()
	checkTold(t, told, b)

	want := b
	want.Reminder.State = booking.ReminderSent // and nothing else has moved
	if got := d.stored(b); !reflect.DeepEqual(got, want) {
		t.Errorf("stored %+v\nwant   %+v", got, want)
	}
	d.checkReminder(b, booking.ReminderSent, 1)
	for _, party := range []booking.Actor{anna, ben} {
		if page, err := d.Feeds.List(t.Context(), feedOf(party), nil, nil, 10); err != nil || page.Head.Sequence != 2 {
			t.Errorf("%s's feed goes to %v, %v", party.ID, page.Head, err)
		}
	}
}

func TestAReminderComesWhenItIsDueAndNeverBefore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for due times")
	}
	d := open(t, 10*time.Minute)
	d.work()
	reader := d.subscribe(anna)
	b := d.book(10*time.Minute + time.Second)
	d.checkJobs("scheduled")
	next(t, reader, booking.EventCreated)
	if entry := next(t, reader, booking.EventReminderDue); entry.Time.Before(b.Reminder.DueTime) {
		t.Errorf("due at %v, out at %v", b.Reminder.DueTime, entry.Time)
	}
}

func feedOf(party booking.Actor) feed.Key { return feed.Key{Role: party.Role, User: party.ID} }

func (d *desk) subscribe(party booking.Actor) *feed.Subscription {
	d.t.Helper()
	reader, err := d.Feeds.Subscribe(d.t.Context(), feedOf(party), nil, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(reader.Close)
	return reader
}

// next waits for the next entry, which must be of this type.
func next(t *testing.T, reader *feed.Subscription, want booking.EventType) feed.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	entry, err := reader.Next(ctx)
	if err != nil || entry.Type != want {
		t.Fatalf("told %s, not %s, %v", entry.Type, want, err)
	}
	return entry
}

// checkTold compares what both parties are told: one event, of the start and the lead alone.
func checkTold(t *testing.T, told []feed.Entry, b booking.Booking) {
	t.Helper()
	want := map[string]any{
		"bookingId": b.ID.String(), "providerId": ben.ID, "customerId": anna.ID, "startTime": b.Slot.Start.Format(time.RFC3339Nano),
		"version": float64(b.Version), "metadata": map[string]any{"service": "cut"},
		"leadSeconds": b.Lead().Seconds(),
	}
	for _, entry := range told {
		var data map[string]any
		if err := json.Unmarshal(entry.Data, &data); err != nil || !reflect.DeepEqual(data, want) {
			t.Errorf("told %s, %v", entry.Data, err)
		}
		if entry.ID != told[0].ID || entry.Sequence != 2 || entry.BookingID != b.ID.String() {
			t.Errorf("told %+v", entry)
		}
	}
}

func TestAReminderIsLoggedWithItsRequestAndWithoutTheNote(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	b := d.book(time.Hour)
	d.work()
	d.drained()
	want := map[string]any{
		"level": "INFO", "msg": "reminder due", "bookingId": b.ID.String(),
		"customerId": anna.ID, "providerId": ben.ID, "requestId": "the-request", "leadSeconds": always.Seconds(),
	}
	if got := d.logged(b); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("logged %v, not %v", got, want)
	}
}

// logged are the lines about a booking, without their times. The line comes
// after the commit.
func (d *desk) logged(b booking.Booking) (found []map[string]any) {
	d.t.Helper()
	d.eventuallyLogged(b)
	for _, line := range d.log.lines() {
		if strings.Contains(string(line), b.Note) {
			d.t.Errorf("the note is logged: %s", line)
		}
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil && fields["bookingId"] == b.ID.String() {
			delete(fields, "time")
			found = append(found, fields)
		}
	}
	return found
}

// stale are reminders of which nothing must come, however their job came to run.
var stale = map[string]struct {
	happens func(d *desk, b booking.Booking) remind.Args
	state   booking.ReminderState
}{
	"cancelled": {func(d *desk, b booking.Booking) remind.Args {
		d.change(b, booking.Cancel(""))
		return remind.Args{BookingID: b.ID}
	}, booking.ReminderSkipped},
	"moved": {func(d *desk, b booking.Booking) remind.Args {
		d.move(b, 5*time.Hour)
		return remind.Args{BookingID: b.ID}
	}, booking.ReminderScheduled},
	"moved away and back": {func(d *desk, b booking.Booking) remind.Args {
		d.move(d.move(b, 5*time.Hour), -5*time.Hour)
		return remind.Args{BookingID: b.ID, Moves: 1}
	}, booking.ReminderScheduled},
	"of moves to come": {func(_ *desk, b booking.Booking) remind.Args {
		return remind.Args{BookingID: b.ID, Moves: 1}
	}, booking.ReminderScheduled},
	"just started": {func(d *desk, b booking.Booking) remind.Args {
		d.begins(b, "0")
		return remind.Args{BookingID: b.ID}
	}, booking.ReminderSkipped},
	"long started": {func(d *desk, b booking.Booking) remind.Args {
		d.begins(b, "1 year")
		return remind.Args{BookingID: b.ID}
	}, booking.ReminderSkipped},
	"completed": {func(d *desk, b booking.Booking) remind.Args {
		d.Now = func() time.Time { return b.Slot.Start }
		d.change(b, booking.Complete())
		d.Now = time.Now // and the job is to run at once
		return remind.Args{BookingID: b.ID}
	}, booking.ReminderSkipped},
}

// begins lets a booking have begun so long ago, by the clock that counts.
func (d *desk) begins(b booking.Booking, ago string) {
	d.t.Helper()
	exec(d.t, d.Pool.Pool, `UPDATE bookings SET start_time = begun, end_time = begun + interval '1 hour', reminder_due_time = begun - interval '30 minutes'
		FROM (SELECT clock_timestamp() - $2::interval AS begun) AS clock WHERE id = $1`, b.ID, ago)
}

func TestAStaleJobRemindsOfNothing(t *testing.T) {
	t.Parallel()
	for name, test := range stale {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, 30*time.Minute)
			b := d.book(time.Hour)
			args := test.happens(d, b)
			before := d.stored(b)
			d.runNow(args)
			d.checkReminder(b, test.state, 0)
			after := d.stored(b)
			after.Reminder.State = before.Reminder.State
			if !reflect.DeepEqual(after, before) {
				t.Errorf("before %+v\nafter  %+v", before, after)
			}
		})
	}
}

// runNow lets a job run now, as it would had it been fetched before whatever
// cancelled or moved its booking.
func (d *desk) runNow(args remind.Args) {
	d.t.Helper()
	exec(d.t, d.Pool.Pool, "DELETE FROM river_job WHERE (args->>'moves')::int = $1", args.Moves)
	if _, err := d.Jobs.Insert(d.t.Context(), args, nil); err != nil {
		d.t.Fatal(err)
	}
	d.work()
	d.eventuallyDone(args)
}

func TestOneReminderForEachStartEver(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	d.work()
	b := d.book(24 * time.Hour)
	d.drained()
	d.checkReminder(b, booking.ReminderSent, 1)
	away := d.move(b, time.Hour)
	d.drained()
	d.checkReminder(b, booking.ReminderSent, 2)
	for range 3 { // back and away again, to starts that both know already
		d.move(b, 0)
		d.drained()
		d.checkReminder(b, booking.ReminderSent, 2)
		d.move(away, 0)
		d.drained()
		d.checkReminder(b, booking.ReminderSent, 2)
	}
	const starts = "SELECT count(DISTINCT start_time) FROM booking_events WHERE type = 'booking.reminder.due'"
	if n := value[int](d, starts); n != 2 {
		t.Errorf("the reminders are of %d starts", n)
	}
}

func TestAJobThatRunsTwiceRemindsOnce(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	d.work()
	b := d.book(24 * time.Hour)
	for range 3 {
		d.drained()
		d.checkReminder(b, booking.ReminderSent, 1)
		exec(t, d.Pool.Pool, "UPDATE river_job SET state = 'available', finalized_at = NULL")
	}
	d.drained()
	d.checkReminder(b, booking.ReminderSent, 1)
}

// dying breaks the connection of the first two transactions that write a reminder, that
// of the batch and that of the job alone, when all is written and COMMIT has come. The
// third waits there for a lock.
const dying = `
	CREATE SEQUENCE commits;
	CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('commits') <= 2 THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
			PERFORM pg_sleep(60);
		END IF;
		PERFORM pg_advisory_xact_lock(1);
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON booking_events DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW WHEN (NEW.type = 'booking.reminder.due') EXECUTE FUNCTION die()`

// Nothing is left of the first try, and the next one does all of it.
func TestAWorkerThatDiesLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	exec(t, d.Pool.Pool, dying)
	held, err := d.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := held.Exec(t.Context(), "SELECT pg_advisory_xact_lock(1)"); err != nil {
		t.Fatal(err)
	}
	b := d.book(time.Hour)
	d.work()
	d.eventuallyFailed(remind.Args{BookingID: b.ID})
	if n := value[int](d, "SELECT count(*) FROM feed_entries"); n != 2 {
		t.Errorf("%d entries, not the creation's 2", n)
	}
	d.checkReminder(b, booking.ReminderScheduled, 0)
	if err := held.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.eventuallyDone(remind.Args{BookingID: b.ID})
	d.checkReminder(b, booking.ReminderSent, 1)
	if n := value[int](d, "SELECT last_value FROM commits"); n != 3 {
		t.Errorf("committed at try %d", n)
	}
}

// An inserter is in every server, also in those that leave jobs to others.
func TestAnInserterWorksNothing(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	if err := d.Jobs.Start(t.Context()); err == nil {
		t.Error("it was started")
	}
	b := d.book(time.Hour)
	d.checkReminder(b, booking.ReminderScheduled, 0)
}

func TestAReminderOfABookingThatNeverWasIsAnError(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	args := remind.Args{BookingID: bookingNobodyHas}
	if _, err := d.Jobs.Insert(t.Context(), args, nil); err != nil {
		t.Fatal(err)
	}
	d.work()
	d.eventuallyFailed(args)
}
